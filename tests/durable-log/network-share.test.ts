import { expect, it } from 'vitest'
import { networkFuse, networkShare } from '../../src/durable-log/network-share.ts'
import { temporaryDirectory } from '../support/directory.ts'

const MOUNTS = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '40 22 0:40 / /mnt/user rw - fuse.shfs shfs rw,user_id=0',
  '41 22 0:41 / /mnt/far rw shared:9 master:3 - fuse.sshfs pi@nas:/ rw',
  '42 41 8:2 / /mnt/far/near rw - ext4 /dev/sdb1 rw',
  '43 22 0:43 / /mnt/with\\040space rw - fuse.rclone cloud: rw',
  '',
].join('\n')

it('of FUSE only what is on another machine is a network share: the innermost mount decides', () => {
  expect(networkFuse(MOUNTS, '/mnt/far')).toBe('sshfs')
  expect(networkFuse(MOUNTS, '/mnt/far/spool')).toBe('sshfs')
  expect(networkFuse(MOUNTS, '/mnt/with space/spool')).toBe('rclone')
  expect(networkFuse(MOUNTS, '/mnt/far/near/spool')).toBeUndefined()
  expect(networkFuse(MOUNTS, '/mnt/farther')).toBeUndefined()
  expect(networkFuse(MOUNTS, '/mnt/user/appdata')).toBeUndefined()
  expect(networkFuse('', '/spool')).toBeUndefined()
})

it('a directory of this machine is none', async () => {
  expect(await networkShare(temporaryDirectory())).toBeUndefined()
})
