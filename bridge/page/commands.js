import { element } from './words.js'

/** A command with a button that copies it. */
export function command(text) {
  const code = element('code', {}, text)
  const button = element('button', { type: 'button' }, 'Copy')
  button.addEventListener('click', async () => {
    const copied = await copy(text, code)
    button.textContent = copied ? 'Copied' : 'Selected: press Ctrl+C'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 3_000)
  })
  return element('div', { class: 'command' }, code, button)
}

/** Browsers give the clipboard only to pages of https and of this machine: elsewhere the text is selected. */
async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    getSelection().selectAllChildren(code)
    return false
  }
}
