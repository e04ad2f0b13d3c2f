#!/usr/bin/python3
"""burst-sim gallery: PNG and PDF files that others read, the same bytes for the same seed, and refusals in one sentence."""
import pathlib
import re
import struct
import sys
import tempfile
import zlib

from report import case, exit_status, sim


def png(path):
    """(width, height, rows of bytes) of an 8-bit RGB PNG; every chunk's check sum is tried."""
    data, at, parts, head = path.read_bytes(), 8, b'', None
    if data[:8] != b'\x89PNG\r\n\x1a\n':
        raise ValueError('no PNG')
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if zlib.crc32(kind + body) != struct.unpack('>I', data[at + 8 + size:at + 12 + size])[0]:
            raise ValueError(f'check sum of {kind}')
        head, parts = (struct.unpack('>IIBB', body[:10]) if kind == b'IHDR' else head), parts + (body if kind == b'IDAT' else b'')
        at += 12 + size
    if head[2:] != (8, 2):
        raise ValueError(f'depth and kind of colour {head[2:]}')
    return head[0], head[1], zlib.decompress(parts)


def images(folder):
    sim('gallery', '--what', 'images', '--seed', 5, '--out', folder / 'a.png')
    names = sorted(p.name for p in folder.glob('a*.png'))
    case('pages_are_numbered_from_one', None if names == [f'a-{i + 1}.png' for i in range(len(names))] and len(names) > 1 else names)
    width, height, rows = png(folder / names[0])
    case('a_page_is_a4_at_150_dots_per_inch', None if (width, height) == (1240, 1754) else f'{width} x {height}')
    case('a_page_is_not_blank', None if len(set(rows)) > 100 else 'few values')
    sim('gallery', '--what', 'images', '--seed', 5, '--out', folder / 'b.png')
    sim('gallery', '--what', 'images', '--seed', 6, '--out', folder / 'c.png')
    first, again, other = ([(folder / f'{name}-{i + 1}.png').read_bytes() for i in range(len(names))] for name in 'abc')
    case('the_same_seed_draws_the_same_pictures', None if first == again else 'they differ')
    case('another_seed_draws_others', None if first[0] != other[0] else 'the same')


def document(folder):
    for name in ('a', 'b'):
        sim('gallery', '--what', 'lightcurves', '--out', folder / f'{name}.pdf')
    data = (folder / 'a.pdf').read_bytes()
    count = [int(n) for n in re.findall(rb'/Type /Pages\b.*?/Count (\d+)', data, re.S)]
    fine = data.startswith(b'%PDF-') and data.rstrip().endswith(b'%%EOF') and count and count[0] >= 5
    case('light_curves_fill_a_pdf_of_several_pages', None if fine else f'pages {count}')
    case('the_same_seed_writes_the_same_document', None if data == (folder / 'b.pdf').read_bytes() else 'they differ')
    sim('gallery', '--what', 'lightcurves', '--rows', 2, '--out', folder / 'more.pdf')
    more = [int(n) for n in re.findall(rb'/Type /Pages\b.*?/Count (\d+)', (folder / 'more.pdf').read_bytes(), re.S)]
    case('more_rows_need_more_pages', None if more and count and more[0] > count[0] else f'{count} {more}')


def refusals(folder):
    for name, words, want, text in (('another_kind_of_file', ['--out', folder / 'a.jpg'], 1, 'neither in .png nor in .pdf'),
                                    ('a_folder_that_is_not_there', ['--what', 'images', '--out', folder / 'no/a.png'], 1, 'cannot write'),
                                    ('a_document_that_cannot_be_written', ['--out', folder / 'no/a.pdf'], 1, 'cannot write'),
                                    ('no_file', [], 2, 'usage'), ('no_rows', ['--out', folder / 'a.png', '--rows', 0], 2, '--rows 0'),
                                    ('an_unknown_kind', ['--out', folder / 'a.png', '--what', 'both'], 2, 'not one of'),
                                    ('a_word_too_many', ['--out', folder / 'a.png', 'more'], 2, 'usage')):
        said = sim('gallery', *words, want=want).stderr
        case(f'{name}_is_refused', None if text in said else said)
    case('help_goes_to_standard_output', None if 'usage: burst-sim gallery' in sim('gallery', '--help').stdout else 'it does not')


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        images(folder)
        document(folder)
        refusals(folder)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
