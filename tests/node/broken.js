// The same on one's first try: node broken.js PORT
"use strict";
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2] || process.env.PORT) });
let open = 0;

server.on("connection", (socket) => {
  console.log(`connected; active connections: ${++open}`);
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  socket.on("error", () => {});
  socket.on("close", (code) => {
    // BUG: whoever is gone without a Close frame (1006) is counted for ever.
    if (code !== 1006) console.log(`closed; active connections: ${--open}`);
  });
});

// BUG: no ping, so a silent client's socket stays. BUG: SIGTERM is not handled, so nobody is told.
