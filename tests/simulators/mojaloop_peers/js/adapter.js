'use strict'
// Loaded into the scheme adapter with --mended: version 18.0.2 mixes up step-wise calls that run at the same time.
// Newer versions do not, but npm does not have them.

const path = require('path')
const of = name => require(path.join(process.env.PEERS_ADAPTER, 'src', 'lib', name))

// The parameters of a path were kept in one object for all requests: a callback for one transfer was handed to
// whoever waited for another.
const validator = of('validate').prototype
const { validatePath } = validator

validator.validatePath = function (...given) {
  return { ...validatePath.apply(this, given) }
}

// A message for which nobody waits any more threw inside the Redis client, which then heard nothing any more.
const cache = of('cache').prototype
const { _getClient } = cache

cache._getClient = async function () {
  const client = await _getClient.call(this)
  const { subscribe } = client
  client.subscribe = (channel, listener) =>
    subscribe.call(client, channel, message => this._callbacks[channel] && listener(message))
  return client
}
