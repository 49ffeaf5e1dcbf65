'use strict';
const WORDS = {
  zh: {docs: '接口文档', out: '退出', sign: '登录', user: '用户', password: '密码', enter: '进入', wrong: '登录失败：',
       change: '请更改初始密码', fresh: '新密码（至少 8 个字符）', again: '再次输入新密码', save: '保存', differ: '两次输入不一致',
       stale: '已超过 3 秒没有收到数据，所示数值不可信，正在重新连接 …', age: '秒前', never: '等待数据'},
  en: {docs: 'API docs', out: 'sign out', sign: 'Sign in', user: 'user', password: 'password', enter: 'Enter', wrong: 'Refused: ',
       change: 'Change the initial password', fresh: 'new password (8 characters or more)', again: 'new password again', save: 'Save', differ: 'The two differ',
       stale: 'Nothing has come for 3 s: do not trust what is shown. Reconnecting …', age: 's ago', never: 'waiting'},
};
const QUALITY = {0: ['坏', 'bad'], 4: ['配置错误', 'configuration'], 8: ['未连接', 'not connected'], 12: ['设备故障', 'device failure'],
  16: ['传感器故障', 'sensor failure'], 20: ['数据陈旧', 'stale'], 24: ['通信故障', 'communication'], 28: ['停用', 'out of service'],
  32: ['等待数据', 'waiting'], 64: ['不确定', 'uncertain'], 68: ['最后可用值', 'last usable'], 84: ['超出量程', 'out of range']};
const $ = id => document.getElementById(id);
let language = localStorage.getItem('language') || 'zh', csrf = null;  // of the session, which is in a cookie that no script reads
let points = [], cells = [], socket = null, lastFrame = 0, ts = [];
const name = both => both[language];

function speak() {
  document.documentElement.lang = language;
  $('language').textContent = language === 'zh' ? 'EN' : '中文';
  for (const node of document.querySelectorAll('[data-words]')) node.textContent = WORDS[language][node.dataset.words];
}

async function begin() {
  const answer = await fetch('/api/v1/me').catch(() => null);
  if (!answer) { setTimeout(begin, 2000); return; }
  if (answer.ok) enter(await answer.json());
}

function enter(said) {
  csrf = said.csrf;
  $('sign').hidden = true; $('change').hidden = !said.must_change; $('out').hidden = false;
  if (!said.must_change) start();
}

async function start() {
  const answer = await fetch('/api/v1/points?limit=10000').catch(() => null);
  if (!answer) { setTimeout(start, 2000); return; }
  if (!answer.ok) { leave(); return; }
  points = (await answer.json()).points;
  $('table').hidden = false;
  lastFrame = Date.now(); draw(); connect();
}

function draw() {
  const panels = new Map(); cells = [];
  for (const point of points) {
    if (!panels.has(point.equipment.id)) {
      const panel = document.createElement('section'), head = document.createElement('h2'), table = document.createElement('table');
      head.textContent = name(point.equipment.name); panel.append(head, table); panels.set(point.equipment.id, panel);
    }
    const row = panels.get(point.equipment.id).lastChild.insertRow();
    row.title = point.point;
    for (const text of [name(point.name), '', point.unit, '']) row.insertCell().textContent = text;
    cells.push(row);
  }
  $('table').replaceChildren(...panels.values());
}

function show(place, value, quality, text) {
  const row = cells[place], point = points[place], state = value === null ? null : point.states[String(value)];
  row.cells[1].textContent = state ? name(state) : text ?? (value === null || value === undefined ? '—' : Number(value.toPrecision(6)).toString());
  row.className = quality === 20 ? 'bad old' : quality < 64 ? 'bad' : quality < 192 ? 'doubtful' : '';
  row.quality = quality;
}

function tick() {
  const now = Date.now(), dead = csrf && lastFrame && now - lastFrame > 3000;
  document.body.classList.toggle('stale', !!dead);
  $('banner').hidden = !dead; $('banner').textContent = WORDS[language].stale;
  $('clock').textContent = new Date().toLocaleTimeString(language, {hour12: false, timeZone: 'Asia/Shanghai'});
  cells.forEach((row, place) => {
    const words = QUALITY[row.quality & 0xfc], age = Math.max(0, Math.round(now / 1000 - ts[place] / 1e6));
    row.cells[3].textContent = !ts[place] ? WORDS[language].never
      : row.quality < 192 ? (words || QUALITY[0])[language === 'zh' ? 0 : 1] : age + ' ' + WORDS[language].age;
  });
}

function subscribe() { if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({subscribe: {all: true}})); }

function connect() {
  let rows = [];
  socket = new WebSocket((location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '/api/v1/stream');
  socket.onopen = subscribe;
  socket.onmessage = message => {
    const frame = JSON.parse(message.data);
    if (frame.error) { if (frame.error.code === 'unauthorised') leave(); return; }
    lastFrame = Date.now();
    if (frame.snapshot) {
      const place = new Map(points.map((point, row) => [point.point, row]));
      rows = frame.snapshot.points.map(path => place.get(path));
    }
    frame.i.forEach((at, k) => {
      const row = rows[at];
      if (row === undefined) return;
      ts[row] = frame.ts[k]; show(row, frame.v[k], frame.q[k], frame.s && frame.s[k]);
    });
    tick();
  };
  socket.onclose = () => { if (csrf) setTimeout(() => csrf && connect(), 1000); };
}

function post(path, body) {
  const headers = {'Content-Type': 'application/json', ...(csrf && {'X-CSRF-Token': csrf})};
  return fetch('/api/v1/' + path, {method: 'POST', headers, body: JSON.stringify(body)}).catch(() => null);
}

async function told(answer, where) {
  const said = answer ? await answer.json() : {error: {message: '…', message_zh: '…'}};
  if (said.error) where.textContent = WORDS[language].wrong + (language === 'zh' ? said.error.message_zh : said.error.message);
  return said.error ? null : said;
}

function leave() {
  if (csrf) post('sign-out');
  csrf = null; if (socket) socket.close();
  $('sign').hidden = false; $('change').hidden = true; $('table').hidden = true; $('out').hidden = true; lastFrame = 0;
}

$('sign').addEventListener('submit', async event => {
  event.preventDefault(); $('said').textContent = '';
  const said = await told(await post('sign-in', {user: $('user').value, password: $('password').value, cookie: true}), $('said'));
  if (!said) return;
  $('password').value = ''; enter(said);
});
$('change').addEventListener('submit', async event => {
  event.preventDefault(); $('changed').textContent = '';
  if ($('fresh').value !== $('again').value) { $('changed').textContent = WORDS[language].differ; return; }
  const said = await told(await post('me/password', {old: $('old').value, new: $('fresh').value}), $('changed'));
  if (!said) return;
  for (const field of ['old', 'fresh', 'again']) $(field).value = '';
  enter(said);
});
$('out').addEventListener('click', leave);
$('language').addEventListener('click', () => {
  language = language === 'zh' ? 'en' : 'zh'; localStorage.setItem('language', language); speak();
  if (points.length && csrf) { draw(); subscribe(); }
});
setInterval(tick, 500); speak(); begin();
