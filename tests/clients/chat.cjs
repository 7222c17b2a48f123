// socket.io on two processes: whoever is connected to the one hears what is said in the other, through pub/sub.
// node chat.cjs PORT plain|sharded: ends with status 0, or with what went wrong. With a third word it is the second process.
"use strict";

const assert = require("node:assert/strict");
const { fork } = require("node:child_process");
const { once } = require("node:events");
const { createAdapter, createShardedAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");
const connect = require("socket.io-client").io;

/** A socket.io server in this process; gives it and its port. */
async function serve(port, kind) {
  const publisher = createClient({ url: `redis://127.0.0.1:${port}` });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const adapter = kind === "sharded" ? createShardedAdapter(publisher, subscriber) : createAdapter(publisher, subscriber);
  const io = new Server(0, { adapter, transports: ["websocket"] });
  io.on("connection", (socket) => {
    socket.on("join", async (room, done) => done(await socket.join(room)));
    socket.on("say", (room, text) => socket.to(room).emit("said", text));
  });
  io.on("who", (done) => done(process.pid));
  await once(io.httpServer, "listening");
  return { io, at: io.httpServer.address().port };
}

/** A client that remembers what it hears. */
async function guest(at) {
  const socket = connect(`http://127.0.0.1:${at}`, { transports: ["websocket"], forceNew: true });
  const heard = [];
  socket.on("said", (text) => heard.push(text));
  await once(socket, "connect");
  return { socket, heard, join: (room) => socket.emitWithAck("join", room) };
}

/** Do something, and again while it has no effect: a subscription takes effect a moment after it was asked for. */
async function until(holds, act = () => {}) {
  for (const end = Date.now() + 30000; Date.now() < end; ) {
    await act();
    await new Promise((resume) => setTimeout(resume, 50));
    if (await holds()) return;
  }
  assert.fail(`in vain: ${holds}`);
}

async function main(port, kind) {
  const other = fork(__filename, [port, kind, "second"]);
  const [{ at: far }] = await once(other, "message");
  const { io, at: near } = await serve(port, kind);
  const [ann, bob, cid] = await Promise.all([guest(near), guest(far), guest(far)]);

  await until(() => ann.heard.includes("all") && bob.heard.includes("all"), () => io.emit("said", "all"));
  await Promise.all([ann.join("room"), bob.join("room")]);
  await until(() => bob.heard.includes("hello"), () => ann.socket.emit("say", "room", "hello"));
  await until(() => ann.heard.includes("hi"), () => bob.socket.emit("say", "room", "hi"));
  assert.ok(!cid.heard.includes("hello") && !cid.heard.includes("hi"), "who is in no room hears nothing of it");
  assert.ok(!ann.heard.includes("hello") && !bob.heard.includes("hi"), "who says something does not hear it");

  assert.deepEqual(await io.serverSideEmitWithAck("who"), [other.pid]);
  const everyone = [ann, bob, cid].map(({ socket }) => socket.id).sort();
  assert.deepEqual((await io.fetchSockets()).map(({ id }) => id).sort(), everyone);
  io.in(cid.socket.id).socketsJoin("late");
  await until(() => cid.heard.includes("late"), () => io.to("late").emit("said", "late"));
  io.in(bob.socket.id).disconnectSockets();
  await until(() => bob.socket.disconnected);
  await until(async () => (await io.fetchSockets()).length === 2);
  other.kill();
}

const [port, kind, second] = process.argv.slice(2);
if (second) process.on("disconnect", () => process.exit(0));
const work = second ? serve(port, kind).then(({ at }) => process.send({ at })) : main(port, kind).then(() => process.exit(0));
work.catch((error) => { console.error(error); process.exit(1); });
