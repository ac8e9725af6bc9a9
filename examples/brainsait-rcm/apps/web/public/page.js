import { submissionOf, verdictOf } from './claim-form.js';

const form = document.querySelector('form');
const result = document.querySelector('#result');
const today = new Date().toISOString().slice(0, 10);

for (const name of ['serviceDate', 'eligibilityDate']) form.elements[name].value = today;
form.elements.coveredFrom.value = `${today.slice(0, 4)}-01-01`;
form.elements.coveredTo.value = `${today.slice(0, 4)}-12-31`;
form.elements.claimNumber.value = `W-${Date.now()}`;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const act = event.submitter.value;
  const submission = submissionOf(new FormData(form));
  const { coverage, services } = submission;
  const body = act === 'claims' ? submission : { coverage, serviceDate: services[0].date };
  try {
    const response = await fetch(`/api/${act}`, { method: 'POST', body: JSON.stringify(body) });
    show(verdictOf(response.status, await response.json()));
  } catch {
    show({ good: false, title: 'The API cannot be reached.', lines: [] });
  }
});

function show({ good, title, lines }) {
  result.hidden = false;
  result.classList.toggle('good', good);
  result.querySelector('h2').textContent = title;
  result
    .querySelector('ul')
    .replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement('li'), { textContent: line })),
    );
}
