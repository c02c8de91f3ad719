/// The script of a page: what is pointed at, the addresses of a block, search, keyboard and the switch of colours.
///
/// Names reach the document as text only (`textContent`, `setAttribute`), never as markup.
enum PageScript {
  static let text = #"""
    'use strict';
    (() => {
      const byId = (id) => document.getElementById(id);
      const data = JSON.parse(byId('data').textContent);
      const inspector = byId('inspector'), panel = byId('blocks'), query = byId('query');
      const most = 16, shown = 60;

      const make = (name, attributes, text) => {
        const element = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
        if (text !== undefined) element.textContent = text;
        return element;
      };

      // Addresses: dotted decimal, or RFC 5952.
      const v6 = (number) => {
        const groups = [];
        for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number(number >> shift & 0xffffn));
        let [start, length] = [-1, 1];
        for (let i = 0; i < 8; i++) {
          let end = i;
          while (end < 8 && groups[end] === 0) end++;
          if (end - i > length) [start, length] = [i, end - i];
          i = Math.max(i, end - 1);
        }
        const text = (part) => part.map((group) => group.toString(16)).join(':');
        return start < 0 ? text(groups) : text(groups.slice(0, start)) + '::' + text(groups.slice(start + length));
      };
      const address = (digits, offset) => {
        if (digits.length > 8) return v6(BigInt('0x' + digits) + BigInt(offset));
        const number = parseInt(digits, 16) + offset;
        return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
      };

      // A block with the use, the name and the node of each address; read when it is first needed.
      const known = new Map();
      const block = (pool, index) => {
        const key = pool + ',' + index;
        if (known.has(key)) return known.get(key);
        const [digits, length, owner, label, runs, holders] = data.blocks[pool][index];
        const value = { pool, index, digits, length, owner: data.nodes[owner] ?? '', label, cells: [] };
        let next = 0;
        for (const [, letter, count] of runs.matchAll(/([a-z])(\d+)/g)) {
          for (let i = 0; i < Number(count); i++) {
            const cell = { use: data.uses[letter], address: address(digits, value.cells.length), name: '', node: '' };
            const entry = letter === 'u' || letter === 'b' ? holders[next++] ?? '' : '';
            if (entry) {
              const colon = entry.indexOf(':');
              const [stem, node] = entry.slice(0, colon).split('@');
              cell.name = (stem ? data.stems[parseInt(stem, 36)] : '') + entry.slice(colon + 1);
              cell.node = node === undefined ? value.owner : node ? data.nodes[parseInt(node, 36)] : '';
            }
            value.cells.push(cell);
          }
        }
        known.set(key, value);
        return value;
      };
      const describe = (cell) =>
        cell.address + ', ' + cell.use[1] + (cell.name || cell.node ? ': ' : '') +
        [cell.name, cell.node].filter(Boolean).join(' on ');

      // What is pointed at, or else what the keyboard is at.
      const inspect = (cell) => {
        if (!cell) return;
        const text = cell.getAttribute('aria-label');
        const end = text.indexOf(', ');
        inspector.replaceChildren(make('strong', {}, text.slice(0, end)), document.createTextNode(text.slice(end)));
      };
      const cellOf = (event) => event.target.closest?.('[role=gridcell]');
      document.addEventListener('mouseover', (event) => inspect(cellOf(event)));
      document.addEventListener('mouseout', (event) => {
        if (cellOf(event)) inspect(document.activeElement.closest?.('[role=gridcell]'));
      });
      document.addEventListener('focusin', (event) => inspect(cellOf(event)));

      // The keyboard: one cell of a grid can be reached by Tab, and takes that with it.
      const enter = (cell) => {
        cell.closest('[role=grid]').querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
        cell.setAttribute('tabindex', '0');
      };
      const go = (cell) => {
        enter(cell);
        cell.focus();
      };
      const cellsOf = (row) => [...row.querySelectorAll('[role=gridcell]')];
      const target = (event, cell) => {
        const rows = [...cell.closest('[role=grid]').querySelectorAll('[role=row]')];
        const row = rows.indexOf(cell.closest('[role=row]'));
        const cells = cellsOf(rows[row]);
        const column = cells.indexOf(cell);
        const at = (number) => {
          const others = cellsOf(rows[Math.max(0, Math.min(rows.length - 1, number))]);
          return others[Math.min(column, others.length - 1)];
        };
        switch (event.key) {
          case 'ArrowLeft': return cells[column - 1] ?? (row > 0 ? cellsOf(rows[row - 1]).at(-1) : cell);
          case 'ArrowRight': return cells[column + 1] ?? (rows[row + 1] ? cellsOf(rows[row + 1])[0] : cell);
          case 'ArrowUp': return at(row - 1);
          case 'ArrowDown': return at(row + 1);
          case 'PageUp': return at(row - 8);
          case 'PageDown': return at(row + 8);
          case 'Home': return event.ctrlKey ? cellsOf(rows[0])[0] : cells[0];
          case 'End': return event.ctrlKey ? cellsOf(rows.at(-1)).at(-1) : cells.at(-1);
        }
      };
      let opened = null;
      document.addEventListener('keydown', (event) => {
        const cell = cellOf(event);
        if (!cell || event.altKey || event.metaKey) return;
        const isMap = cell.closest('.map');
        if ((event.key === 'Enter' || event.key === ' ') && isMap) open(cell);
        else if (event.key === 'Escape' && !isMap && opened) go(opened);
        else {
          const other = target(event, cell);
          if (!other) return;
          go(other);
        }
        event.preventDefault();
      });
      document.addEventListener('click', (event) => {
        const cell = cellOf(event);
        if (!cell) return;
        go(cell);
        if (cell.closest('.map')) open(cell);
      });

      // The addresses of the blocks of a cell, beside the map.
      const draw = (value) => {
        const columns = Math.min(16, value.cells.length);
        const title = 'block-' + value.pool + '-' + value.index;
        const card = make('section', { class: 'card', 'aria-labelledby': title });
        const isLong = value.digits.length > 8;
        const grid = make('div', { class: isLong ? 'grid long' : 'grid', role: 'grid', 'aria-labelledby': title });
        value.cells.forEach((cell, offset) => {
          if (offset % columns === 0) {
            grid.append(make('div', { role: 'row' }));
            grid.lastChild.append(make('span', { role: 'rowheader' }, cell.address));
          }
          grid.lastChild.append(
            make('span', {
              role: 'gridcell', class: 'c ' + cell.use[0], tabindex: offset ? '-1' : '0', 'aria-label': describe(cell),
            }));
        });
        card.append(make('h3', { id: title }, value.label), grid);
        return card;
      };
      const open = (cell) => {
        opened?.removeAttribute('aria-selected');
        opened = cell;
        cell.setAttribute('aria-selected', 'true');
        const [pool, first, end] = (cell.dataset.b ?? '0,0,0').split(',').map(Number);
        const cards = [];
        for (let index = first; index < Math.min(end, first + most); index++) cards.push(draw(block(pool, index)));
        if (end - first > most)
          cards.push(make('p', { class: 'card' }, (end - first - most) + ' more blocks; search leads to each.'));
        if (!cards.length) cards.push(make('p', { class: 'card' }, cell.getAttribute('aria-label')));
        panel.replaceChildren(...cards);
        panel.parentElement.scrollTop = 0;
      };
      const cellFor = (pool, index) =>
        [...document.querySelectorAll('.map [data-b]')].find((cell) => {
          const [other, first, end] = cell.dataset.b.split(',').map(Number);
          return other === pool && first <= index && index < end;
        });
      const lead = (pool, index, offset) => {
        const cell = cellFor(pool, index);
        if (!cell) return;
        enter(cell);
        open(cell);
        let card = byId('block-' + pool + '-' + index);
        if (!card) {
          panel.prepend(draw(block(pool, index)));
          card = byId('block-' + pool + '-' + index);
        }
        if (offset === undefined) go(cell);
        else go(card.nextElementSibling.querySelectorAll('[role=gridcell]')[offset]);
      };

      // Search: nodes and addresses by how they begin, pods by any part of their names.
      let every = null;
      const entries = () => {
        every ??= data.blocks.flatMap((blocks, pool) => blocks.map((_, number) => block(pool, number)));
        return every;
      };
      const find = () => {
        const text = query.value.trim().toLowerCase();
        document.querySelectorAll('.hit').forEach((cell) => cell.classList.remove('hit'));
        byId('results').replaceChildren();
        if (!text) {
          byId('found').textContent = '';
          return;
        }
        const hits = new Set(), buttons = [];
        let [addresses, blocks] = [0, 0];
        const offer = (label, ...place) => {
          if (buttons.length >= shown) return;
          const button = make('button', { type: 'button' }, label);
          button.addEventListener('click', () => lead(...place));
          buttons.push(button);
        };
        for (const value of entries()) {
          const before = addresses + blocks;
          const cidr = value.cells[0].address + '/' + value.length;
          if (value.owner.toLowerCase() === text || cidr.startsWith(text)) {
            blocks++;
            offer('Block ' + value.label, value.pool, value.index);
          }
          value.cells.forEach((cell, offset) => {
            const isFound = cell.address.startsWith(text) || cell.name.toLowerCase().includes(text) ||
              (cell.node !== value.owner || value.owner.toLowerCase() !== text) && cell.node.toLowerCase().startsWith(text);
            if (!isFound) return;
            addresses++;
            offer(describe(cell), value.pool, value.index, offset);
          });
          if (addresses + blocks > before) hits.add(value.pool + ',' + value.index);
        }
        for (const cell of document.querySelectorAll('.map [data-b]')) {
          const [pool, first, end] = cell.dataset.b.split(',').map(Number);
          for (let number = first; number < end; number++)
            if (hits.has(pool + ',' + number)) cell.classList.add('hit');
        }
        const count = (number, noun, plural) => number.toLocaleString('en') + ' ' + (number === 1 ? noun : plural);
        byId('found').textContent = addresses + blocks === 0 ? 'Nothing that is in a block fits.' :
          [[addresses, 'address', 'addresses'], [blocks, 'block', 'blocks']].filter(([number]) => number)
            .map((part) => count(...part)).join(' and ') + (buttons.length < addresses + blocks ?
            '; the first ' + buttons.length + ' are listed, all are marked in the map' : '; marked in the map');
        byId('results').replaceChildren(...buttons.map((button) => {
          const item = make('li', {});
          item.append(button);
          return item;
        }));
      };
      let timer = 0;
      query.addEventListener('input', () => {
        clearTimeout(timer);
        timer = setTimeout(find, 120);
      });
      byId('search').addEventListener('submit', (event) => {
        event.preventDefault();
        find();
      });

      // Colours: as the system says, until the switch is used.
      const dark = byId('dark'), wish = matchMedia('(prefers-color-scheme: dark)');
      const isDark = () => (document.documentElement.dataset.theme ?? (wish.matches ? 'dark' : 'light')) === 'dark';
      const tell = () => dark.setAttribute('aria-checked', String(isDark()));
      dark.addEventListener('click', () => {
        document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
        tell();
      });
      wish.addEventListener('change', tell);
      tell();

      // At first, the addresses of a block that somebody uses; of a small pool all that there are.
      const busy = document.querySelector('.map [class*=used-], .map [class*=borrowed-]');
      if (busy) open(busy);
      const number = data.blocks.flat().length;
      if (number > 1 && number <= most && entries().reduce((sum, value) => sum + value.cells.length, 0) <= 256)
        panel.replaceChildren(...entries().map(draw));
    })();
    """#
}
