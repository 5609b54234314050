'use strict'
// Loaded before a server's own code (node -r): it listens on this machine only, and on the ports that
// PEERS_PORTS names, as {"asked for": instead}. The Toolkit's port of administration cannot be set otherwise.

const { Server } = require('net')

const instead = JSON.parse(process.env.PEERS_PORTS || '{}')
const listen = Server.prototype.listen

Server.prototype.listen = function (first, ...others) {
  const options = first !== null && typeof first === 'object' ? first : { port: Number(first) }
  const ready = others.filter(one => typeof one === 'function')
  const port = instead[options.port] ?? options.port
  return listen.call(this, { ...options, port, host: '127.0.0.1' }, ...ready)
}
