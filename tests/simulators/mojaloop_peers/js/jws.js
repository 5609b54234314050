'use strict'
// Signs and checks requests with Mojaloop's own library: a line of JSON in, a line of JSON out, until the input ends.
//   {"do": "sign", "method", "uri", "headers", "body" (text), "key" (PEM)}      -> {"headers": with the signature}
//   {"do": "validate", "headers", "body" (text), "keys": {FSP: PEM}}           -> {"valid": true} or {"valid", "why"}
// PEERS_LIBRARY is the folder of @mojaloop/sdk-standard-components.

const { Jws } = require(process.env.PEERS_LIBRARY)

const quiet = { isDebugEnabled: () => false, debug: () => {}, error: () => {}, child: () => quiet }
const lower = headers => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const actions = {
  sign ({ method, uri, headers, body, key }) {
    // As the adapter does it: it signs what it is about to write, not a text.
    const request = { method, uri, headers: lower(headers), body: body && JSON.parse(body) }
    new Jws.signer({ signingKey: key, logger: quiet }).sign(request)
    return { headers: request.headers }
  },
  validate ({ headers, body, keys }) {
    try {
      // As a server does it: the body has been parsed when the signature is checked.
      new Jws.validator({ validationKeys: keys, logger: quiet }).validate({ headers: lower(headers), body: JSON.parse(body) })
      return { valid: true }
    } catch (error) {
      return { valid: false, why: error.message }
    }
  }
}

require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const { do: action, ...given } = JSON.parse(line)
  let answer
  try {
    answer = actions[action](given)
  } catch (error) {
    answer = { error: error.message }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
})
