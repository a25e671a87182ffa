import { Refusal } from './answer.ts'

/** Refusals of the SQL REST API are 422 with Snowflake's own code and SQL state [documented]. */
export function sqlRefusal(code: string, sqlState: string, message: string): Refusal {
  return new Refusal(422, code, message, { sqlState })
}

/** 002003: Snowflake does not tell what is not there from what one may not see [documented]. */
export function noSuch(kind: string, name: string): Refusal {
  const word = `${kind[0]}${kind.slice(1).toLowerCase()}`
  return sqlRefusal('002003', '02000', `SQL compilation error: ${word} '${name}' does not exist or not authorized.`)
}

export function alreadyThere(name: string): Refusal {
  return sqlRefusal('002002', '42710', `SQL compilation error: Object '${name}' already exists.`)
}

export function insufficient(kind: string, name: string): Refusal {
  const what = name === '' ? kind.toLowerCase() : `${kind.toLowerCase()} '${name}'`
  return sqlRefusal('003001', '42501', `SQL access control error: Insufficient privileges to operate on ${what}.`)
}

export function unsupported(what: string): Refusal {
  return sqlRefusal('000002', '0A000', `Unsupported feature: ${what}`)
}

export function unreadable(message: string): Refusal {
  return sqlRefusal('001003', '42000', `SQL compilation error: ${message}`)
}

export function wrongValue(message: string): Refusal {
  return sqlRefusal('001008', '22023', `SQL compilation error: ${message}`)
}
