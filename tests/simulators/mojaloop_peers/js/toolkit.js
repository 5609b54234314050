'use strict'
// Loaded into the Testing Toolkit before it starts (node -r). The Toolkit answers by its rules and forgets; this
// remembers which transfers it took and what became of them, and writes it down:
//
//   journal   every request that passed the Toolkit's checks, every callback that it made, and every transfer that
//             it booked, one JSON object a line. It outlives the Toolkit, which reads it when it starts again.
//   facts     `payee` {ending} and `transfer` {state, changed, first, resent} for the conditions of rules
//   params    `books` {state, after} of a rule: what the transfer's books end with, once `after` ms have passed;
//             `times`: how often its callback is sent; {$payee.name}: the name given for the payee
//   keys      the signatures are the Toolkit's own; the keys are files, instead of a Connection Manager's

const fs = require('fs')
const path = require('path')

const FOLDER = process.env.PEERS_STATE
const AGAIN_AFTER = 500 // ms
const JOURNAL = path.join(FOLDER, 'journal.jsonl')
const of = name => require(path.join(process.env.PEERS_TOOLKIT, 'src', 'lib', name))

const ilp = of('mocking/middleware-functions/ilpModel')
const transfers = new Map() // by id: {body, times, state, due}
const requests = new WeakMap() // body of a POST /transfers: {first, changed, resent}

// -- journal --------------------------------------------------------------------------------------------------

function note (kind, entry) {
  fs.appendFileSync(JOURNAL, JSON.stringify({ kind, at: Date.now(), ...entry }) + '\n')
}

function remembered (id, body) {
  if (!transfers.has(id)) transfers.set(id, { body, times: 0 })
  return transfers.get(id)
}

function stateOf (transfer) {
  if (!transfer?.state) return 'UNKNOWN'
  return Date.now() < transfer.due ? 'RESERVED' : transfer.state
}

function receive (body) {
  const transfer = remembered(body.transferId, body)
  const known = Boolean(transfer.state)
  const same = JSON.stringify(transfer.body) === JSON.stringify(body)
  if (!known) transfer.body = body
  transfer.times += 1
  requests.set(body, { first: transfer.times === 1, changed: known && !same, resent: known && same })
}

function book (id, { state, after = 0 }) {
  const transfer = transfers.get(id)
  if (!transfer || transfer.state || !keepsToTheQuote(transfer.body)) return
  Object.assign(transfer, { state, due: Date.now() + after })
  const { amount, payeeFsp, payerFsp, ilpPacket } = transfer.body
  const { payee } = ilp.getIlpTransactionObject(ilpPacket)
  note('transfer', {
    transferId: id, ...amount, payee: payee.partyIdInfo.partyIdentifier, payeeFsp, payerFsp, state, due: transfer.due
  })
}

// The Toolkit's own checks, which it makes after its rules.
function keepsToTheQuote (body) {
  const request = { method: 'post', path: '/transfers', payload: body, customInfo: {} }
  return ilp.validateTransferIlpPacket(null, request) && ilp.validateTransferCondition(null, request)
}

function readAgain () {
  if (!fs.existsSync(JOURNAL)) return
  for (const line of fs.readFileSync(JOURNAL, 'utf8').split('\n').filter(Boolean)) {
    const { kind, method, path, body, transferId, state, due } = JSON.parse(line)
    if (kind === 'request' && method === 'post' && path === '/transfers') remembered(body.transferId, body).times += 1
    if (kind === 'transfer') Object.assign(transfers.get(transferId), { state, due })
  }
}

const history = of('arrayStore')
const { push, reset } = history

history.push = (key, value, user) => {
  const { method, path, headers, body } = value
  if (key === 'requestsHistory') {
    note('request', { method, path, headers, body })
    if (method === 'post' && path === '/transfers') receive(body)
  }
  if (key === 'callbacksHistory') note('callback', { method, path, headers, body })
  // Kept for ten minutes; a load test would fill the memory.
  if (!process.env.PEERS_NO_HISTORY) push(key, value, user)
}

history.reset = (key, user) => {
  if (key === 'requestsHistory') {
    fs.rmSync(JOURNAL, { force: true })
    transfers.clear()
  }
  reset(key, user)
}

// -- rules ----------------------------------------------------------------------------------------------------

const engine = of('rulesEngine').prototype

// One request after the other: the engine forgets the rules that are still to come for one when it is through with
// another. The first rule that matches decides, so the others need not be looked at.
engine.evaluate = function (facts) {
  const run = async () => {
    this.engine.once('success', () => this.engine.stop())
    const { events } = await this.engine.run({ ...facts, ...known(facts) })
    this.engine.removeAllListeners('success')
    return events.length ? [prepared(events[0], facts)] : null
  }
  this.turn = (this.turn ?? Promise.resolve()).then(run, run)
  return this.turn
}

function known ({ body, pathParams }) {
  const transfer = transfers.get(idOf(body, pathParams))
  return {
    payee: { ending: endingOf(payeeOf(body, pathParams)) },
    transfer: { state: stateOf(transfer), ...requests.get(body) }
  }
}

function idOf (body, pathParams) {
  return body.transferId || pathParams.ID
}

function payeeOf (body, pathParams) {
  const id = idOf(body, pathParams)
  return body.payeeFsp || body.payee?.partyIdInfo.partyIdentifier || transfers.get(id)?.body.payeeFsp || id || ''
}

// Whoever was mended goes as anybody.
function endingOf (payee) {
  const ending = payee.slice(-4)
  return file('mended.json', '[]').includes(ending) ? '' : ending
}

// A copy of its own: scripts change the event of a rule.
function prepared (event, { method, body, pathParams }) {
  const text = JSON.stringify(event).replaceAll('{$payee.name}', nameOf(payeeOf(body, pathParams)))
  const { type, params = {} } = JSON.parse(text)
  if (params.books && method === 'post') book(idOf(body, pathParams), params.books)
  return { type, params }
}

// The Toolkit copies all rules for each request, in search of variables that ours do not have.
const rules = of('rulesEngineModel')
for (const name of ['getResponseRules', 'getValidationRules', 'getCallbackRules']) {
  const load = rules[name]
  rules[name] = async user => {
    await load(user)
    return []
  }
}

function nameOf (payee) {
  return JSON.stringify(file('names.json', '{}')[payee] || `Payee ${payee}`).slice(1, -1)
}

function file (name, otherwise) {
  const place = path.join(FOLDER, name)
  return JSON.parse(fs.existsSync(place) ? fs.readFileSync(place, 'utf8') : otherwise)
}

// -- callbacks ------------------------------------------------------------------------------------------------

const callbacks = of('callbackHandler')
const { handleCallback } = callbacks

callbacks.handleCallback = async (callback, ...others) => {
  for (let time = 0; time < (callback.eventInfo?.params.times || 1); time += 1) {
    if (time) await new Promise(resolve => setTimeout(resolve, AGAIN_AFTER))
    await handleCallback({ ...callback, headers: { ...callback.headers } }, ...others)
  }
}

// The Toolkit fulfils whatever it calls back, an aborted transfer too, and forgets a transfer once it was asked for.
const { handleTransferIlp } = ilp

ilp.handleTransferIlp = (context, response) => {
  const { transferState, fulfilment } = response.body
  if (transferState === 'COMMITTED' && !fulfilment) {
    const body = transfers.get(context.request.body?.transferId || context.request.params.ID)?.body
    const asked = { ...context, request: { ...context.request, method: 'post', body } }
    handleTransferIlp(asked, response)
  }
}

// -- keys -----------------------------------------------------------------------------------------------------

const keys = of('configuration-providers/mb-connection-manager')
keys.getUserDfspJWSCerts = async dfsp => {
  const place = path.join(FOLDER, 'keys', 'of_dfsps', `${path.basename(dfsp || '')}.pem`)
  return fs.existsSync(place) ? fs.readFileSync(place, 'utf8') : null
}
keys.getTestingToolkitDfspJWSPrivateKey = async () => fs.readFileSync(path.join(FOLDER, 'keys', 'hub.key'), 'utf8')

// -- speed ----------------------------------------------------------------------------------------------------

// Each log line is encoded for browsers that nobody has open.
const browsers = of('notificationEmitter')
for (const name of Object.keys(browsers)) browsers[name] = () => {}

readAgain()
