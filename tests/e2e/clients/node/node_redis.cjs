// node-redis: messages to the other region, transactions, scripts, JSON, its client-side cache.
"use strict";

const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");
const { BasicClientSideCache, createClient, defineScript } = require("redis");
const { us, eu, protocol, spoken, eventually } = require("./regions.cjs");

const take = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: "return redis.call('DECRBY', KEYS[1], ARGV[1])",
  parseCommand: (parser, key, count) => {
    parser.pushKey(key);
    parser.push(String(count));
  },
  transformReply: (reply) => reply,
});
const clientOf = (port, options = {}) =>
  createClient({ socket: { port }, RESP: protocol, scripts: { take }, ...options });
const here = clientOf(us);
const there = clientOf(eu);

before(() => Promise.all([here.connect(), there.connect()]));
after(() => Promise.all([here.close(), there.close()]));

test("subscriber hears the other region", async () => {
  const subscriber = there.duplicate();
  await subscriber.connect();
  const heard = new Promise((done) => subscriber.subscribe("news", done).then(
    () => here.publish("news", "rain")));
  assert.equal(await heard, "rain");
  await subscriber.close();
  assert.match(await here.sendCommand(["CLIENT", "INFO"]), spoken);
});

test("transaction and script", async () => {
  const replies = await here.multi().set("stock", 10).incr("stock").hSet("h", "f", "v").exec();
  assert.deepEqual(replies, ["OK", 11, 1]);
  assert.equal(await here.take("stock", 4), 7);
  await here.scriptFlush();
  assert.equal(await here.take("stock", 4), 3);
  await here.zAdd("ranks", [{ value: "a", score: 1.5 }, { value: "b", score: 2 }]);
  assert.deepEqual(await here.zRangeWithScores("ranks", 0, 0), [{ value: "a", score: 1.5 }]);
});

test("JSON of both regions adds up", async () => {
  await here.json.set("cart", "$", { count: 1 });
  await eventually(() => there.json.get("cart"));
  await Promise.all([here, there].map((each) => each.json.numIncrBy("cart", "$.count", 2)));
  await eventually(async () => (await here.json.get("cart")).count === 5);
});

// There is no client-side cache over RESP2.
if (protocol === 3) {
  test("client-side cache drops what the other region writes", async () => {
    const cache = new BasicClientSideCache();
    const cached = clientOf(us, { clientSideCache: cache });
    await cached.connect();
    for (const value of ["one", "two"]) {
      await there.set("k", value);
      await eventually(async () => (await cached.get("k")) === value);
      const { hitCount } = cache.stats();
      assert.equal(await cached.get("k"), value);
      assert.equal(cache.stats().hitCount, hitCount + 1);
    }
    await cached.close();
  });
}
