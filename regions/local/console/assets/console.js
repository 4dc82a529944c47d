// Own script of the console: how long ago a moment is, copy buttons, "all of them", and what the connection does.
(() => {
  'use strict'
  const pulse = () => document.getElementById('pulse')
  const say = (text, kind) => { const p = pulse(); if (p) { p.textContent = text; p.className = kind } }

  const ago = (seconds) => {
    if (seconds < 0) return 'in ' + span(-seconds)
    return span(seconds) + ' ago'
  }
  const span = (s) => s < 90 ? s + ' s' : s < 5400 ? Math.round(s / 60) + ' min' : s < 129600 ? Math.round(s / 3600) + ' h' : Math.round(s / 86400) + ' d'
  const tick = () => {
    const now = Date.now()
    for (const t of document.querySelectorAll('time[datetime]')) {
      const text = ago(Math.round((now - Date.parse(t.getAttribute('datetime'))) / 1000))
      if (t.textContent !== text) t.textContent = text
    }
  }
  setInterval(tick, 1000)
  tick()

  // What a person opened stays open when a page changes.
  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === 'open' && node.tagName === 'DETAILS')
  }
  document.addEventListener('htmx:sseOpen', () => say('live', 'good'))
  document.addEventListener('htmx:sseError', () => say('reconnecting', 'busy'))
  document.addEventListener('htmx:sseClose', (e) => { if (e.detail.type === 'message') say('stopped', 'bad') })
  document.addEventListener('htmx:sseMessage', tick)

  document.addEventListener('click', (e) => {
    const b = e.target.closest('[data-copy]')
    if (!b) return
    const from = document.getElementById(b.dataset.copy)
    navigator.clipboard.writeText(from.textContent).then(
      () => { b.textContent = 'Copied' },
      () => { getSelection().selectAllChildren(from); b.textContent = 'Selected: copy it' })
  })
  document.addEventListener('change', (e) => {
    const name = e.target.dataset.all
    if (!name) return
    for (const box of document.querySelectorAll('input[type=checkbox][name="' + name + '"]')) box.checked = e.target.checked
  })
})()
