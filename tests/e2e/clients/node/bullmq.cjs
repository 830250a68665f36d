// BullMQ: results, progress, delay, priority, retry, failure, flows, and a worker elsewhere.
"use strict";

const assert = require("node:assert/strict");
const { once } = require("node:events");
const { test } = require("node:test");
const { FlowProducer, Queue, QueueEvents, Worker } = require("bullmq");
const { Redis } = require("ioredis");
const { us, eu, protocol, spoken } = require("./regions.cjs");

const connectionTo = (port) => ({ port, protocol, maxRetriesPerRequest: null });
const connection = connectionTo(us);

// Run the body with a queue, its events, and a worker that does each job with `work`.
async function withQueue(name, work, body, workerOptions = {}) {
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  const worker = new Worker(name, work, { connection, ...workerOptions });
  try {
    await Promise.all([queue, events, worker].map((each) => each.waitUntilReady()));
    await body(queue, events, worker);
  } finally {
    await Promise.all([worker, events, queue].map((each) => each.close()));
  }
}

test("jobs give results, also late ones and those tried again", async () => {
  const tries = [];
  const work = async (job) => {
    await job.updateProgress(50);
    if (job.name === "fails") throw new Error("this job fails");
    if (job.name === "retried" && tries.push(job.attemptsMade) === 1) throw new Error("not yet");
    return job.data.a + 1;
  };
  await withQueue("jobs", work, async (queue, events) => {
    const progress = once(events, "progress");
    const first = await queue.add("plain", { a: 1 });
    assert.equal(await first.waitUntilFinished(events), 2);
    assert.equal((await progress)[0].data, 50);
    const late = await queue.add("late", { a: 2 }, { delay: 3_600_000 });
    assert.equal(await late.getState(), "delayed");
    await late.changeDelay(5);
    const backoff = { type: "fixed", delay: 5 };
    const retried = await queue.add("retried", { a: 3 }, { attempts: 2, backoff });
    assert.equal(await retried.waitUntilFinished(events), 4);
    assert.equal(await late.waitUntilFinished(events), 3);
    const failing = await queue.add("fails", {}, { attempts: 1 });
    await assert.rejects(failing.waitUntilFinished(events), /this job fails/);
    assert.deepEqual(await queue.getJobCounts("completed", "failed"), { completed: 3, failed: 1 });
    assert.deepEqual(tries, [0, 1]);
  });
});

test("urgent jobs come first", async () => {
  const order = [];
  const work = async (job) => order.push(job.data.a);
  await withQueue("urgent", work, async (queue, events, worker) => {
    const bulk = [3, 1, 2].map((a) => ({ name: "job", data: { a }, opts: { priority: a } }));
    const jobs = await queue.addBulk(bulk);
    const finished = jobs.map((job) => job.waitUntilFinished(events));
    worker.run();
    await Promise.all(finished);
    assert.deepEqual(order, [1, 2, 3]);
  }, { autorun: false });
});

test("parent of a flow waits for its children", async () => {
  const work = async (job) => {
    if (job.name !== "sum") return job.data.a;
    return Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0);
  };
  await withQueue("flow", work, async (queue, events) => {
    const producer = new FlowProducer({ connection });
    const children = [1, 2, 3].map((a) => ({ name: "part", queueName: "flow", data: { a } }));
    const { job } = await producer.add({ name: "sum", queueName: "flow", children });
    assert.equal(await job.waitUntilFinished(events), 6);
    await producer.close();
  });
});

test("connections speak the protocol", async () => {
  await withQueue("protocol", async () => 0, async () => {
    const client = new Redis({ port: us, protocol });
    const clients = (await client.client("LIST")).trim().split("\n");
    client.disconnect();
    assert.ok(clients.length > 3);
    for (const row of clients) assert.match(row, spoken);
  });
});

test("worker in the other region does a job", async () => {
  const work = async (job) => job.data.a + 1;
  await withQueue("abroad", work, async (queue, events) => {
    const job = await queue.add("plain", { a: 1 });
    assert.equal(await job.waitUntilFinished(events), 2);
  }, { connection: connectionTo(eu) });
});
