#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --single-threaded-gc --max-semi-space-size=4 --heap-growing-percent=30
import { systemCode } from '../src/errors.ts'
import { main } from './main.ts'

// Who reads our output may have seen enough (`| head`): what was begun is finished all the same.
process.stdout.on('error', (error) => {
  if (systemCode(error) !== 'EPIPE') throw error
})

process.exitCode = await main(process.argv.slice(2), process)
