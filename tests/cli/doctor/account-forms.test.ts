import { expect, it } from 'vitest'
import { accountHost, accountInJwt } from '../../../bridge/snowpipe/account.ts'
import { otherAccounts } from '../../../cli/doctor/snowflake/account-forms.ts'

const others = (account: string, account_dot: 'region' | 'account' = 'region') =>
  otherAccounts({ account, account_dot, url: '' }).map(({ inJwt }) => inJwt)

it('an organisation and an account with a dot between them are tried with a hyphen', () => {
  expect(others('myorg.myaccount')).toEqual(['MYORG-MYACCOUNT'])
})

it('a locator that was taken for an organisation is tried as one', () => {
  expect(others('xy12345.eu-west-1', 'account')).toContain('XY12345')
})

it('a name that was copied from an address gets its underscores back', () => {
  expect(others('https://myorg-my-acct.snowflakecomputing.com')).toContain('MYORG-MY_ACCT')
  expect(accountHost('MYORG-MY_ACCT')).toBe('myorg-my-acct.snowflakecomputing.com')
})

it('no form is tried that is the same in a JWT, nor one twice', () => {
  for (const account of ['myorg-myaccount', 'xy12345', 'xy12345.eu-central-1.aws', 'a_b', 'org.acc_ount', 'a-b-c']) {
    const forms = others(account)
    expect(new Set(forms).size, account).toBe(forms.length)
    expect(forms, account).not.toContain(accountInJwt(account.toUpperCase()))
  }
})

it('what is no account has no other form', () => {
  expect(others('not an account')).toEqual([])
})
