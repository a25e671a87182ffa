import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory on a real disk for as long as `act` takes; `BENCH_DIR` says where, if not where temporary files go. */
export async function inDirectory<T>(act: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(process.env.BENCH_DIR ?? tmpdir(), 'snowhat-bench-'))
  try {
    return await act(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
