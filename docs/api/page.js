// The OpenAPI document of this node as a page that people read. No library: the document is ours.

const METHODS = ['get', 'put', 'post', 'delete'];

/** An element with attributes and children; text is never taken for markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat());
  return made;
}

/** Text in which `code` stands between backticks. */
function prose(text = '') {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 1 ? element('code', {}, part) : document.createTextNode(part)));
}

function table(caption, rows) {
  if (rows.length === 0) return [];
  const body = rows.map(([name, description]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('code', {}, name)),
      element('td', {}, prose(description)),
    ),
  );
  return [element('h4', {}, caption), element('table', {}, element('tbody', {}, body))];
}

function parametersOf({ parameters = [] }) {
  return parameters.map(({ name, in: where, required, description, schema = {} }) => {
    const choice = schema.enum === undefined ? '' : ` One of \`${schema.enum.join('`, `')}\`.`;
    const must = required === true && where !== 'path' ? ' Has to be given.' : '';
    const shown = { query: `?${name}=`, path: `<${name}>`, header: `${name}:` }[where];
    return [shown, `${description ?? schema.description ?? ''}${must}${choice}`];
  });
}

function bodyOf({ requestBody }) {
  if (requestBody === undefined) return [];
  return Object.entries(requestBody.content).flatMap(([type, { schema = {} }]) => [
    element('h4', {}, 'Body, ', element('code', {}, type)),
    ...describeSchema(schema),
  ]);
}

function describeSchema(schema) {
  const properties = schema.properties ?? schema.items?.properties;
  const rows = Object.entries(properties ?? {}).map(([name, { description = '' }]) => [
    name,
    description,
  ]);
  const text = schema.description;
  return [
    ...(text === undefined ? [] : [element('p', {}, prose(text))]),
    ...table('Members', rows),
  ];
}

function answersOf({ responses }) {
  const rows = Object.entries(responses).map(([status, { description }]) => [status, description]);
  const [, { content = {} }] = Object.entries(responses)[0];
  const schema = Object.values(content)[0]?.schema ?? {};
  return [...table('Answers', rows), ...describeSchema({ properties: schema.properties })];
}

function article(method, path, operation) {
  const title = element(
    'h3',
    { id: operation.operationId },
    element('span', { class: 'method' }, method.toUpperCase()),
    element('code', {}, path),
  );
  return element(
    'article',
    { 'aria-labelledby': operation.operationId },
    title,
    element('p', {}, prose(operation.summary)),
    ...(operation.description === undefined
      ? []
      : [element('p', { class: 'soft' }, prose(operation.description))]),
    ...table('Parameters', parametersOf(operation)),
    ...bodyOf(operation),
    ...answersOf(operation),
  );
}

function show({ info, paths, tags }) {
  document
    .getElementById('about')
    .replaceChildren(
      ...prose(info.description),
      ` Version ${info.version}. `,
      element('a', { href: '/docs/openapi.json' }, 'OpenAPI document'),
    );
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      ...{ method, path, operation: item[method] },
    })),
  );
  for (const { name } of tags) {
    const own = operations.filter(({ operation }) => operation.tags?.includes(name));
    const links = own.map(({ operation }) =>
      element(
        'li',
        {},
        element('a', { href: `#${operation.operationId}` }, prose(operation.summary)),
      ),
    );
    document.getElementById('contents').append(element('h2', {}, name), element('ul', {}, links));
    document
      .getElementById('operations')
      .append(
        element('h2', {}, name),
        ...own.map(({ method, path, operation }) => article(method, path, operation)),
      );
  }
  // The page was not there yet when the browser looked for it.
  if (location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

const answer = await fetch('/docs/openapi.json');
show(await answer.json());
