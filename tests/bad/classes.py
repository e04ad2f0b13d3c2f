"""Which case stands for which class of the bad-input catalogue: F structure of a FITS file, T event tables, I sub-images, Z
transport, P sequence. Cases are files of make.py (found by their `class`) and tests that are named here. Outcomes: REF refused with
code, place and sentence, ACC taken (and told, where it is odd), ALM refused and an alarm."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the catalogue expects where it does not expect REF alone.
EXPECTED = {'F14': 'ALM', 'F31': 'ALM', 'T6': 'REF ACC', 'T8': 'REF ACC', 'T11': 'ACC', 'T12': 'ACC', 'I1': 'REF ACC', 'I4': 'REF ACC', 'I12': 'ALM',
            'I15': 'ACC', 'Z18': 'ALM', 'P3': 'ALM', 'P5': 'ALM ACC', 'P9': 'ALM', 'P1': 'ACC', 'P2': 'ACC', 'P4': 'ACC', 'P8': 'ACC ALM', 'P10': 'ACC',
            'P11': 'ACC', 'Z5': 'ALM', 'Z16': 'ACC', 'Z17': 'ACC REF', 'Z21': 'REF ACC', 'Z22': 'ACC', 'I13': 'ACC REF'}
NAMES = ([f'F{i}' for i in range(1, 16)] + ['F15b'] + [f'F{i}' for i in range(16, 41)] + [f'T{i}' for i in range(1, 18)] +
         [f'I{i}' for i in range(1, 16)] + [f'Z{i}' for i in range(1, 23)] + [f'P{i}' for i in range(1, 12)])

INPUT, TRANSPORT, SEQUENCE = 'tests/system/test_bad_input.py', 'tests/system/test_transport.py', 'tests/system/test_sequence.py'
IMAGES = 'tests/system/test_subimages.py'
# Classes that no file can show: what happens, and the test that shows it.
TESTS = {
    'F4': ('REF', [(INPUT, 'bad_frames_are_counted_and_the_next_good_message_is_judged')]),
    'T12': ('ACC', [('tests/unit/prepare/test_window.c', 'EVENT_FAST')]),
    'I12': ('ALM', [(INPUT, 'another_image_under_the_same_number_is_a_conflict'), (IMAGES, 'doubled_images_are_counted_and_other_pixels_raise_an_alarm')]),
    'I13': ('ACC REF', [(IMAGES, 'before_its_notice_or_an_hour_late_it_is_judged_and_told_how_late'), (IMAGES, 'x_band_revises_vhf_and_what_comes_late_changes_nothing'),
                        (INPUT, 'a_topic_nobody_reads_and_a_repeat_lose_nothing')]),
    'Z1': ('REF', [(TRANSPORT, 'numbers_of_frames')]),
    'Z2': ('REF', [(TRANSPORT, 'numbers_of_frames')]),
    'Z3': ('REF', [(TRANSPORT, 'headers_that_break_a_rule')]),
    'Z4': ('REF', [(TRANSPORT, 'messages_over_the_limit')]),
    'Z5': ('ALM', [(TRANSPORT, 'headers_that_break_a_rule')]),
    'Z6': ('REF', [(TRANSPORT, 'messages_over_the_limit')]),
    'Z7': ('REF', [(TRANSPORT, 'garbage_before_the_handshake')]),
    'Z8': ('REF', [(TRANSPORT, 'handshakes_that_never_end')]),
    'Z14': ('REF', [(TRANSPORT, 'the_same_routing_id_twice')]),
    'Z15': ('REF', [(TRANSPORT, 'subscriptions_without_measure')]),
    'Z16': ('ACC', [(TRANSPORT, 'consoles_that_never_read')]),
    'Z17': ('ACC REF', [(TRANSPORT, 'replays_from_anywhere')]),
    'Z18': ('ALM', [(TRANSPORT, 'acknowledgements_of_what_never_was')]),
    'Z19': ('REF', [(TRANSPORT, 'a_gateway_that_goes_silent_or_breaks_off')]),
    'Z20': ('REF', [(TRANSPORT, 'a_gateway_that_goes_silent_or_breaks_off'), (TRANSPORT, 'connections_that_end_in_mid_message_and_storms')]),
    'Z21': ('REF ACC', [(TRANSPORT, 'handshakes_that_never_end'), (TRANSPORT, 'bytes_that_come_one_by_one_after_it')]),
    'Z22': ('ACC', [(TRANSPORT, 'connections_that_end_in_mid_message_and_storms')]),
    'P1': ('ACC', [(SEQUENCE, 'gaps_are_repaired_or_told')]),
    'P2': ('ACC', [(SEQUENCE, 'repeats_are_taken_once_and_rewritten_numbers_are_an_alarm')]),
    'P3': ('ALM', [(SEQUENCE, 'repeats_are_taken_once_and_rewritten_numbers_are_an_alarm')]),
    'P4': ('ACC', [(SEQUENCE, 'order_is_restored_inside_the_window_and_by_history_outside')]),
    'P5': ('ALM ACC', [(SEQUENCE, 'a_stream_goes_forward_and_not_back')]),
    'P6': ('REF', [(SEQUENCE, 'numbers_at_the_end_of_their_range_are_not_believed')]),
    'P8': ('ACC ALM', [(SEQUENCE, 'two_gateways_with_one_topic_and_one_id')]),
    'P10': ('ACC', [(SEQUENCE, 'a_burst_of_a_hundred_times_the_rate_loses_nothing')]),
    'P11': ('ACC', [(SEQUENCE, 'silence_closes_what_is_open_and_shows_in_the_status')]),
}
# Classes about keys: there are none until CURVE is built in, and burstd binds and connects to loopback alone meanwhile.
KEYS = {'Z9': 'a client without keys', 'Z10': 'an unknown key', 'Z11': 'a known key in the wrong role', 'Z12': 'a revoked key',
        'Z13': 'recorded ciphertext sent again', 'P9': 'a source id under another key'}
# Where burstd does not do what the catalogue expects, and has a reason: docs/decisions/0010.
DIFFERS = {'F33', 'F38', 'T13', 'T15', 'T16', 'I5', 'I6', 'I8', 'I10'}


def outcome_of(entry):
    return 'ACC' if entry['code'] == 'ok' else 'ALM' if entry['code'] == 'conflict' else 'REF'


def table(entries):
    """{class: (outcomes found, outcomes expected, [case])}"""
    rows = {}
    for name in NAMES:
        files = [e for e in entries if name in e['class'].split()]
        found, tests = TESTS.get(name, ('', []))
        outcomes = set(found.split()) | {outcome_of(e) for e in files}
        cases = [f'{e["name"]}: {e["code"]}{" " + ",".join(e["quality"]) if e.get("quality") else ""}' for e in files]
        cases += [f'{path}: {word}' for path, word in tests]
        rows[name] = (outcomes, set(EXPECTED.get(name, 'REF').split()), cases)
    return rows


def text(entries):
    lines = []
    for name, (found, expected, cases) in table(entries).items():
        if name in KEYS:
            lines.append(f'{name:4} later    {KEYS[name]}: needs keys (CURVE), which burstd does not have yet')
            continue
        differs = ' *' if name in DIFFERS else ''
        lines.append(f'{name:4} {" ".join(sorted(found)):8} {cases[0] if cases else "NOTHING"}{differs}')
        lines += [f'{"":13} {c}' for c in cases[1:]]
    return '\n'.join(lines + ['* not what the catalogue expects: docs/decisions/0010'])


def faults(entries):
    """What is missing, in sentences."""
    page = next((ROOT / 'docs/decisions').glob('0010-*.md')).read_text()
    for name, (found, expected, cases) in table(entries).items():
        if name in KEYS:
            if cases:
                yield f'{name} is said to wait for keys and has a case'
            continue
        if not cases:
            yield f'{name} has no case'
        if (found != expected) != (name in DIFFERS):
            yield f'{name} is {sorted(found)}, {sorted(expected)} expected, and DIFFERS says otherwise'
        if name in DIFFERS and f'| {name} |' not in page:
            yield f'{name} differs, and docs/decisions/0010 has no row for it'
    for name, (_, tests) in TESTS.items():
        for path, word in tests:
            if word not in (ROOT / path).read_text():
                yield f'{name}: {path} has no {word}'
    known = set(NAMES) | {'good'}
    for e in entries:
        unknown = set(e['class'].split()) - known
        if unknown:
            yield f'{e["name"]} is of no known class: {sorted(unknown)}'
