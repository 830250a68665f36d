// ioredis: messages to the other region, own commands by script, transactions and streams.
"use strict";

const assert = require("node:assert/strict");
const { once } = require("node:events");
const { after, test } = require("node:test");
const { Redis } = require("ioredis");
const { us, eu, protocol, spoken } = require("./regions.cjs");

const here = new Redis({ port: us, protocol });
const there = new Redis({ port: eu, protocol });
after(() => [here, there].forEach((client) => client.disconnect()));

test("subscriber hears the other region", async () => {
  await there.psubscribe("news.*");
  const message = once(there, "pmessage");
  await here.publish("news.weather", "rain");
  assert.deepEqual(await message, ["news.*", "news.weather", "rain"]);
  await there.punsubscribe();
  assert.match(await here.client("INFO"), spoken);
});

test("own command is loaded again after a flush", async () => {
  here.defineCommand("take", {
    numberOfKeys: 1,
    lua: "return redis.call('DECRBY', KEYS[1], ARGV[1])",
  });
  await here.set("stock", 10);
  assert.equal(await here.take("stock", 3), 7);
  await here.script("FLUSH");
  assert.equal(await here.take("stock", 3), 4);
  const replies = await here.pipeline().take("stock", 1).get("stock").exec();
  assert.deepEqual(replies, [[null, 3], [null, "3"]]);
});

test("transaction fails after a foreign write", async () => {
  const other = here.duplicate();
  await here.watch("left");
  await other.set("left", 1);
  assert.equal(await here.multi().set("left", 2).exec(), null);
  const replies = await here.multi().hset("record", "name", "tea").hgetall("record").exec();
  assert.deepEqual(replies, [[null, 1], [null, { name: "tea" }]]);
  other.disconnect();
});

test("blocked reader of a stream group gets an entry", async () => {
  await here.xgroup("CREATE", "jobs", "workers", "$", "MKSTREAM");
  const reader = here.duplicate();
  const read = reader.xreadgroup(
    "GROUP", "workers", "one", "COUNT", 1, "BLOCK", 0, "STREAMS", "jobs", ">");
  const id = await here.xadd("jobs", "*", "number", "1");
  assert.deepEqual(await read, [["jobs", [[id, ["number", "1"]]]]]);
  assert.equal(await here.xack("jobs", "workers", id), 1);
  reader.disconnect();
});
