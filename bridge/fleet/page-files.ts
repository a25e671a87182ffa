import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const PAGE = new URL('../page/', import.meta.url)
/** The plots' library, as its package has it. */
const LIBRARY = { '/uplot.js': 'uplot/dist/uPlot.esm.js', '/uplot.css': 'uplot/dist/uPlot.min.css' }

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing from elsewhere, and nothing that is written into the page itself. */
const SAFETY = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

interface PageFile {
  readonly type: string
  readonly etag: string
  readonly bytes: Buffer
  readonly zipped: Buffer
}

/** The files of the page, in memory: a few hundred kilobytes. */
export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>

  private constructor(files: ReadonlyMap<string, PageFile>) {
    this.#files = files
  }

  static async read(): Promise<PageFiles> {
    const { resolve } = createRequire(import.meta.url)
    const own = (await readdir(PAGE)).filter((name) => extname(name) in TYPES)
    const paths = [
      ...own.map((name) => [name === 'index.html' ? '/' : `/${name}`, fileURLToPath(new URL(name, PAGE))] as const),
      ...Object.entries(LIBRARY).map(([path, name]) => [path, resolve(name)] as const),
    ]
    const files = paths.map(async ([path, file]) => [path, await pageFile(file)] as const)
    return new PageFiles(new Map(await Promise.all(files)))
  }

  /** Whether there was such a file to answer with. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const file = this.#files.get(path)
    if (file === undefined) return false
    // Asked for each time, and answered with 304: an upgrade of the bridge must not meet yesterday's script.
    const headers = { ...SAFETY, 'cache-control': 'no-cache', etag: file.etag, vary: 'accept-encoding' }
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304, headers).end()
      return true
    }
    const zip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
    const body = zip ? file.zipped : file.bytes
    response.writeHead(200, {
      ...headers,
      'content-type': file.type,
      'content-length': body.length,
      ...(zip && { 'content-encoding': 'gzip' }),
    })
    response.end(body)
    return true
  }
}

async function pageFile(path: string): Promise<PageFile> {
  const bytes = await readFile(path)
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { type: TYPES[extname(path)] ?? 'application/octet-stream', etag, bytes, zipped: await promisify(gzip)(bytes) }
}
