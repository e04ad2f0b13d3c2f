"""One report of many lines: `ok NAME`, `FAIL NAME: why` or `skip NAME: why` on the terminal as they come, and at the end a page
(Markdown) and the same as data (JSON)."""
import datetime
import json
import math
import pathlib


class Report:
    def __init__(self, title, folder):
        self.title, self.folder = title, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.begun = datetime.datetime.now(datetime.timezone.utc)
        self.facts, self.sections = {}, []

    def fact(self, name, value):
        self.facts[name] = value
        print(f'{name}: {value}', flush=True)

    def section(self, title):
        self.sections.append({'title': title, 'lines': [], 'tables': [], 'notes': []})
        print(f'\n{title}', flush=True)

    def line(self, word, name, why='', **figures):
        """word: ok, FAIL or skip. Figures are kept as data and shown behind the name."""
        self.sections[-1]['lines'].append({'word': word, 'name': name, 'why': why, 'figures': figures})
        shown = ', '.join(f'{k} {show(v)}' for k, v in figures.items())
        print(f'{word} {name}' + (f': {why}' if why else '') + (f'  ({shown})' if shown else ''), flush=True)
        return word == 'ok'

    def check(self, good, name, why='', **figures):
        return self.line('ok' if good else 'FAIL', name, '' if good else why, **figures)

    def note(self, text):
        self.sections[-1]['notes'].append(text)
        print(text, flush=True)

    def table(self, title, head, rows):
        """Rows of cells; shown as they are."""
        self.sections[-1]['tables'].append({'title': title, 'head': head, 'rows': rows})
        cells = [[show(c) for c in row] for row in [head, *rows]]
        wide = [max(map(len, column)) for column in zip(*cells)]
        print(f'{title}\n' + '\n'.join('  ' + '  '.join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, wide))) for row in cells), flush=True)

    def count(self):
        words = [line['word'] for s in self.sections for line in s['lines']]
        return words.count('ok'), words.count('FAIL'), words.count('skip')

    def verdict(self):
        ok, failed, skipped = self.count()
        return f'{ok} passed, {failed} failed' + (f', {skipped} skipped' if skipped else '')

    def write(self, name):
        """NAME.md and NAME.json, after every section, so that a run cut short leaves what it had."""
        data = {'title': self.title, 'begun': self.begun.isoformat(timespec='seconds'), 'facts': self.facts, 'sections': self.sections, 'verdict': self.verdict()}
        self.save(f'{name}.json', json.dumps(data, indent=1) + '\n')
        self.save(f'{name}.md', self.page())
        return self.folder / f'{name}.md'

    def save(self, name, text):
        part = self.folder / f'.{name}.part'
        part.write_text(text)
        part.rename(self.folder / name)

    def page(self):
        out = [f'# {self.title}', '', f'Begun {self.begun:%Y-%m-%d %H:%M:%S} UTC.', '']
        out += [f'- {name}: {value}' for name, value in self.facts.items()]
        for s in self.sections:
            out += ['', f'## {s["title"]}', '']
            out += [f'- **{x["word"]}** {x["name"]}' + (f': {x["why"]}' if x['why'] else '') +
                    (f' ({", ".join(f"{k} {show(v)}" for k, v in x["figures"].items())})' if x['figures'] else '') for x in s['lines']]
            for t in s['tables']:
                out += ['', t['title'], '', '| ' + ' | '.join(map(show, t['head'])) + ' |', '|' + '---|' * len(t['head'])]
                out += ['| ' + ' | '.join(map(show, row)) + ' |' for row in t['rows']]
            out += [x for n in s['notes'] for x in ('', n)]
        return '\n'.join([*out, '', f'**{self.verdict()}**', ''])


def show(value):
    if not isinstance(value, float):
        return str(value)
    return '-' if math.isnan(value) else f'{value:.0f}' if 1000 <= abs(value) < 1e9 else f'{value:.3g}'
