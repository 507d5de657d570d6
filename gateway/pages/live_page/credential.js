// What the reader proves his rights with: in memory, and in this tab's session storage if he says so. It
// goes into one header of requests to this very server; never into the address, a log or a message.

import { h } from './dom.js';

const KEPT = 'payment-analytics-credential';

/** The tab's storage; null where the browser keeps none for this site. */
function storageOfTab() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** The credential, its dialog and the button that opens it; `onChange` is called whenever another is given. */
export function makeCredential(button, dialog, onChange) {
  const storage = storageOfTab();
  let secret = storage?.getItem(KEPT) ?? '';
  const field = h('input', {
    id: 'credential-field',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'credential-note',
  });
  const keep = h('input', { id: 'credential-keep', type: 'checkbox' });
  const reason = h('p', { class: 'reason', role: 'alert' });

  function take(given, kept) {
    secret = given.trim().replace(/^Bearer\s+/i, '');
    if (secret && kept) storage?.setItem(KEPT, secret);
    else storage?.removeItem(KEPT);
    tell();
    onChange();
  }

  function tell() {
    button.textContent = secret ? 'Credential: given' : 'Credential: none';
  }

  function open(why = '') {
    reason.textContent = why;
    field.value = '';
    keep.checked = Boolean(storage?.getItem(KEPT));
    if (!dialog.open) dialog.showModal();
    field.focus();
  }

  const form = h(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        dialog.close();
        take(field.value, keep.checked);
      },
    },
    h('h2', { id: 'credential-title' }, 'Who is asking?'),
    reason,
    h('label', { for: 'credential-field' }, 'Token or API key'),
    field,
    h(
      'p',
      { id: 'credential-note', class: 'note' },
      'It is kept in memory and sent to this server alone. Reload the page, and it is gone.',
    ),
    h('label', { class: 'check' }, keep, 'Keep it until this tab is closed (session storage)'),
    h(
      'div',
      { class: 'actions' },
      h('button', { class: 'main', type: 'submit' }, 'Use it'),
      h('button', { type: 'button', onclick: () => (dialog.close(), take('', false)) }, 'Forget it'),
      h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
    ),
  );
  dialog.append(form);
  button.addEventListener('click', () => open());
  tell();
  return { open, headers: () => (secret ? { Authorization: `Bearer ${secret}` } : {}) };
}
