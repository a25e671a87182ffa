#!/usr/bin/env node
import { get } from 'node:http'
import { get as getOverTls } from 'node:https'

/**
 * Docker's health check of a bridge (`HEALTHCHECK` in bridge/Dockerfile), or with the argument `phone` of a receiver of phones: asks
 * `/healthz` on this machine and ends with 0 or 1, saying what it was told. A program of its own, because it starts every 30 s: no
 * library, a tenth of a second.
 */
const TIMEOUT_MS = 5_000

const { SNOWHAT_HTTP_PORT, SNOWHAT_PHONE_PORT, SNOWHAT_PHONE_TLS_CERT } = process.env
const ofPhone = process.argv[2] === 'phone'
const isTls = ofPhone && Boolean(SNOWHAT_PHONE_TLS_CERT)
const port = ofPhone ? SNOWHAT_PHONE_PORT || 8090 : SNOWHAT_HTTP_PORT || 8080
const url = `${isTls ? 'https' : 'http'}://127.0.0.1:${port}/healthz`
process.exitCode = 1
// Its certificate is for the name phones know, and nothing secret goes over this.
const options = { timeout: TIMEOUT_MS, ...(isTls && { rejectUnauthorized: false }) }
const request = (isTls ? getOverTls : get)(url, options, (response) => {
  response.setEncoding('utf8').on('data', (text: string) => process.stdout.write(text))
  if (response.statusCode === 200) process.exitCode = 0
})
request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
request.on('error', (error) => process.stdout.write(`${url}: ${error.message}\n`))
