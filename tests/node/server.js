// An echo server on npm's `ws` that does everything right: node server.js PORT
"use strict";
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2] || process.env.PORT) });
const open = new Set();
const say = (what) => console.log(`${what}; active connections: ${open.size}`);

server.on("connection", (socket) => {
  open.add(socket);
  socket.alive = true;
  say("connected");
  socket.on("pong", () => (socket.alive = true));
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  socket.on("error", (error) => console.error(error.message));
  socket.on("close", (code) => {
    open.delete(socket);
    say(`closed with ${code}`);
  });
});

// Nothing but a ping finds out that the other end is gone without a word.
const heartbeat = setInterval(() => {
  for (const socket of open) {
    if (!socket.alive) socket.terminate();
    socket.alive = false;
    socket.ping();
  }
}, 500);

process.on("SIGTERM", () => {
  clearInterval(heartbeat);
  server.close();
  for (const socket of open) socket.close(1012, "restarting");
  setTimeout(() => process.exit(), 1000).unref();
});
