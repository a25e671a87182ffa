#!/usr/bin/env node
import { get } from 'node:http'

/**
 * Docker's health check of a bridge (`HEALTHCHECK` in bridge/Dockerfile): asks `/healthz` on this machine and ends with 0 or 1,
 * saying what it was told. A program of its own, because it starts every 30 s: no library, a tenth of a second.
 */
const TIMEOUT_MS = 5_000

const url = `http://127.0.0.1:${process.env.SNOWHAT_HTTP_PORT || 8080}/healthz`
process.exitCode = 1
const request = get(url, { timeout: TIMEOUT_MS }, (response) => {
  response.setEncoding('utf8').on('data', (text: string) => process.stdout.write(text))
  if (response.statusCode === 200) process.exitCode = 0
})
request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
request.on('error', (error) => process.stdout.write(`${url}: ${error.message}\n`))
