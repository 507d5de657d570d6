// Search: whatever does not say all the words is hidden. And a link into an example opens it.

const field = document.getElementById('search');
const found = document.getElementById('found');
const nothing = document.getElementById('nothing');
const chapters = [...document.querySelectorAll('.chapter')];
const entries = [...document.querySelectorAll('.entry, .example')].map((element) => ({
  element,
  section: element.closest('.type'),
  // `transactionAmount` is found by "amount" as well as by its own name, and its type's.
  text: `${element.id} ${element.textContent}`.toLowerCase(),
}));
const others = [...document.querySelectorAll('.chapter > :not(h2, .type, .example)')].map((element) => ({
  element,
  section: null,
  text: element.textContent.toLowerCase(),
}));

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const says = ({ text }) => words.every((word) => text.includes(word));
  let count = 0;
  for (const section of document.querySelectorAll('.type')) section.hidden = words.length > 0;
  for (const each of [...entries, ...others]) {
    const shown = says(each);
    each.element.hidden = !shown;
    if (shown && each.section) each.section.hidden = false;
    if (shown && words.length) count += 1;
  }
  for (const chapter of chapters) {
    chapter.hidden = ![...chapter.children].some((child) => child.tagName !== 'H2' && !child.hidden);
  }
  nothing.hidden = words.length === 0 || count > 0;
  found.textContent = words.length ? `${count} found` : '';
}

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest('[hidden]') || target.hidden) {
    field.value = '';
    search();
  }
  if (target.tagName === 'DETAILS') target.open = true;
  target.scrollIntoView();
}

field.addEventListener('input', () => {
  search();
  window.scrollTo(0, 0);
});
field.form.addEventListener('submit', (event) => event.preventDefault());
window.addEventListener('hashchange', open);
open();
