// bullmq, a queue of jobs built on Lua scripts and streams: a worker does jobs that come now, later, again and last.
// node jobs.cjs PORT: ends with status 0, or with what went wrong.
"use strict";

const assert = require("node:assert/strict");
const { FlowProducer, Queue, QueueEvents, Worker } = require("bullmq");

async function main(port) {
  const connection = { host: "127.0.0.1", port };
  const queue = new Queue("sums", { connection });
  const events = new QueueEvents("sums", { connection });
  const flows = new FlowProducer({ connection });
  await events.waitUntilReady();
  let failures = 0;
  const worker = new Worker("sums", async (job) => {
    if (job.name === "moody" && failures++ < 2) throw new Error("not yet");
    if (job.name === "broken") throw new Error("on purpose");
    await job.updateProgress(50);
    if (job.name === "parent") {
      return Object.values(await job.getChildrenValues()).reduce((left, right) => left + right, 0);
    }
    return job.data.a + job.data.b;
  }, { connection, concurrency: 4 });

  const jobs = await queue.addBulk(Array.from({ length: 20 }, (_, a) => ({ name: "sum", data: { a, b: 1 } })));
  assert.deepEqual(await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 30000))),
    Array.from({ length: 20 }, (_, a) => a + 1));
  const late = await queue.add("late", { a: 1, b: 2 }, { delay: 200, priority: 3 });
  assert.equal(await late.waitUntilFinished(events, 30000), 3);
  const moody = await queue.add("moody", { a: 2, b: 2 }, { attempts: 3, backoff: 50 });
  assert.equal(await moody.waitUntilFinished(events, 30000), 4);
  const broken = await queue.add("broken", {});
  await assert.rejects(broken.waitUntilFinished(events, 30000), /on purpose/);
  const child = (a) => ({ name: "child", queueName: "sums", data: { a, b: 0 } });
  const { job: parent } = await flows.add({ name: "parent", queueName: "sums", children: [child(1), child(2)] });
  assert.equal(await parent.waitUntilFinished(events, 30000), 3);
  const counts = await queue.getJobCounts("completed", "failed", "waiting", "active", "delayed");
  assert.deepEqual({ ...counts }, { completed: 25, failed: 1, waiting: 0, active: 0, delayed: 0 });
  await queue.obliterate({ force: true });
  await Promise.all([worker.close(), events.close(), flows.close(), queue.close()]);
}

main(Number(process.argv[2])).then(
  () => process.exit(0),
  (error) => { console.error(error); process.exit(1); },
);
