'use strict'
// Holds bodies against an OpenAPI document: a line of JSON in, a line of JSON out, until the input ends.
//   {"path", "method", "body"}   -> where the body leaves the schema of such a request: a list
// Arguments: a folder node_modules, and the document.

const fs = require('fs')
const path = require('path')

const [modules, document] = process.argv.slice(2)
const load = name => require(path.join(modules, name))
const { default: Ajv } = load('ajv')
const { paths, components } = load('js-yaml').load(fs.readFileSync(document, 'utf8'))
const validators = new Map()

function validatorOf (place, method) {
  const name = `${method} ${place}`
  if (!validators.has(name)) {
    const { schema } = paths[place][method].requestBody.content['application/json']
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
    validators.set(name, ajv.compile({ ...closed(schema), components: closed(components) }))
  }
  return validators.get(name)
}

// As the newer connectors take them: no members but those of the schema.
function closed (schema) {
  if (Array.isArray(schema)) return schema.map(closed)
  if (schema === null || typeof schema !== 'object') return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return copy.type === 'object' && copy.properties && !copy.allOf ? { additionalProperties: false, ...copy } : copy
}

require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const { path, method, body } = JSON.parse(line)
  const validate = validatorOf(path, method)
  process.stdout.write(JSON.stringify(validate(body) ? [] : validate.errors) + '\n')
})
