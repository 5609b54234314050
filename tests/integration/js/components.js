'use strict'
// What Mojaloop's own components say, for tests: one JSON object a line in, one a line out.
//
//   {do: "sign", key, request}                 the request's headers, with those of the signature
//   {do: "validate", keys, request}            {error: null}, or why it is not valid
//   {do: "fits", path, method, body}           {errors: []}, or where the body leaves the published schema
//
//   node components.js <node_modules of @mojaloop/sdk-standard-components> <path of an OpenAPI document>

const fs = require('fs')
const path = require('path')
const readline = require('readline')

const [modules, specification] = process.argv.slice(2)
const { Jws } = require(path.join(modules, '@mojaloop', 'sdk-standard-components'))
const quiet = () => false
const logger = { isDebugEnabled: quiet, debug: quiet, error: quiet, child: () => logger }

const answers = {
  sign ({ key, request }) {
    new Jws.signer({ logger, signingKey: key }).sign(request)
    return { headers: request.headers }
  },
  validate ({ keys, request }) {
    try {
      new Jws.validator({ logger, validationKeys: keys }).validate(request)
      return { error: null }
    } catch (error) {
      return { error: error.message }
    }
  },
  fits ({ path, method, body }) {
    return { errors: (validatorOf(path, method)(body) ? [] : validatorOf(path, method).errors) }
  }
}

const validators = new Map()
function validatorOf (place, method) {
  const name = `${method} ${place}`
  if (!validators.has(name)) {
    const Ajv = require(path.join(modules, 'ajv')).default || require(path.join(modules, 'ajv'))
    const document = require(path.join(modules, 'js-yaml')).load(fs.readFileSync(specification, 'utf8'))
    const schema = document.paths[place][method].requestBody.content['application/json'].schema
    const whole = closed({ ...schema, components: document.components })
    validators.set(name, new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(whole))
  }
  return validators.get(name)
}

// Newer connectors refuse members that their schemas do not know.
function closed (schema) {
  if (Array.isArray(schema)) return schema.map(closed)
  if (schema === null || typeof schema !== 'object') return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return copy.type === 'object' && copy.properties && !copy.allOf ? { additionalProperties: false, ...copy } : copy
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const question = JSON.parse(line)
  process.stdout.write(JSON.stringify(answers[question.do](question)) + '\n')
})
