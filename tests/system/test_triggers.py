#!/usr/bin/python3
"""Triggers through a running burstd: before, at and after the data they speak of, with sub-images, with real notices (docs/decisions/0007)."""
import json
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from harness import GRB, PROBE, SHARED, SLOW, Cases, Session, check, classify, core, finals
from test_bad_input import good
from test_pipeline import chunks

EVENTS, GBM = b'burst-archive.v1.fermi.gbm.events', b'burst-archive.v1.fermi.trigger'
IMAGES, SVOM = b'burst-archive.v1.svom.eclairs.subimage', b'burst-archive.v1.svom.trigger'
NOTICES = SHARED / 'data/gcn-notices'
JSON, XML = 2, 3
BURST = '2011-07-21T04:47:43.76Z'  # trigger time of GRB 110721A in the file's header


class Triggers(Session):
    def gbm(self, number, when, **more):
        self.notice(GBM, mission='Fermi', instrument='GBM', id=[number], alert_type='initial', trigger_time=when, **more)

    def svom(self, burst, kind='initial', **more):
        self.notice(SVOM, mission='SVOM', instrument='ECLAIRs', id=[burst], alert_type=kind, trigger_time='2026-11-20T03:12:26.5Z', **more)


def send_chunks(s, files):
    for f in files:
        s.gateway.send(EVENTS, open(f, 'rb').read())
        s.settle(0.02)


def of(verdicts, name):
    return [v for v in verdicts if v['id'] == name]


def rules_hold(verdicts):
    """What burst-probe checks of a sequence, on the whole history."""
    seen = {}
    for v in verdicts:
        number, frozen = seen.get(v['id'], (0, v['trigger_time']))
        check(v['record_number'] == number + 1, f'{v["id"]}: record {v["record_number"]} after {number}')
        check(v['trigger_time'] == frozen, f'{v["id"]}: trigger_time moved')
        check((v['alert_type'] == 'initial') == (number == 0), f'{v["id"]} {number + 1}: {v["alert_type"]}')
        check(('verdict' in v) != ('awaiting' in v), f'{v["id"]} {number + 1}: verdict and awaiting')
        seen[v['id']] = (v['record_number'], frozen)


def a_trigger_before_its_data_is_answered_by_them(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    s = Triggers(folder, started)
    s.gbm('332916465', BURST, ra=331.0, dec=-36.4, ra_dec_error=10.0, containment_probability=0.9)
    v = s.told(lambda v: v)[0]
    check(v['id'] == 'Fermi-GBM-332916465' and v['awaiting'] == 'events' and 'verdict' not in v and v['trigger_time'] == BURST[:-1] + '0000Z', f'{v}')
    send_chunks(s, chunks(folder, 42, 4.0))
    verdicts = s.told(lambda v: len(of(v, 'Fermi-GBM-332916465')) >= 3, 120)
    rules_hold(verdicts)
    check(len(finals(verdicts)) == 1, f'{sorted(finals(verdicts))}')
    first, newest = verdicts[1], verdicts[-1]
    check(first['verdict'] in ('true', 'unclear') and newest['verdict'] == 'true', f'{first} {newest}')
    check(newest['ra'] == 331 and newest['evidence'][0]['name'] == 'n6' and newest['evidence'][0]['t90'] > 5, f'{newest}')
    check(abs(seconds(newest.get('trigger_time_refined', BURST)) - seconds(BURST)) < 3, f'{newest}')
    check(s.daemon.counter('verdict_conflicts') == 0, 'conflicts')


def seconds(utc):
    import datetime
    return datetime.datetime.fromisoformat(utc.rstrip('Z') + '+00:00').timestamp()


def a_trigger_in_mid_burst_joins_the_event_that_the_search_found(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    s = Triggers(folder, started)
    files = chunks(folder, 42, 4.0)
    send_chunks(s, files[:16])  # to T0+30 s
    found = s.told(lambda v: v)[0]['id']
    check(found.startswith('Fermi-GBM-2011'), found)
    s.gbm('332916465', BURST)
    s.told(lambda v: any('related' in x for x in v))
    send_chunks(s, files[16:])
    s.settle(1)
    n = len(s.daemon.verdicts())
    s.gbm('332916465', BURST, ra=331.0, dec=-36.4, ra_dec_error=10.0, containment_probability=0.9)
    verdicts = s.told(lambda v: len(v) > n and 'ra' in v[-1])
    rules_hold(verdicts)
    check({v['id'] for v in verdicts} == {found}, f'{sorted(finals(verdicts))}')
    check(verdicts[-1]['related'][0]['id'] == 'Fermi-GBM-332916465', f'{verdicts[-1]}')


def a_trigger_after_its_data_is_answered_from_what_was_judged(folder, started):
    """Quiet sky more than three minutes after the burst: nobody looks at those windows again. One detector alone may be unsure."""
    if not GRB.exists():
        return '../shared/data is absent'
    s = Triggers(folder, started)
    send_chunks(s, chunks(folder, 83, 4.0))
    s.told(lambda v: v and v[-1]['record_number'] > 1, 120)
    s.gbm('332916665', '2011-07-21T04:51:03.76Z')
    verdicts = s.told(lambda v: of(v, 'Fermi-GBM-332916665'))
    rules_hold(verdicts)
    v = of(verdicts, 'Fermi-GBM-332916665')[0]
    check((v.get('verdict'), v['reason_code']) in (('false', 'NOISE'), ('unclear', 'LOW_CONFIDENCE')) and v['alert_type'] == 'initial', f'{v}')
    check('had been judged when its notice came' in v['reasons'][0] and v['model'], f'{v}')


def killed_while_a_triggered_event_is_open_it_goes_on(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    files, told = chunks(folder, 42, 4.0), []
    for kill in (False, True):
        s = Triggers(f'{folder}/{kill}' if not make(f'{folder}/{kill}') else '', started)
        s.gbm('332916465', BURST)
        s.told(lambda v: v)
        for i, f in enumerate(files):
            s.gateway.send(EVENTS, open(f, 'rb').read())
            s.settle(0.05)
            if kill and i in (12, 25):
                s.daemon.kill(signal.SIGKILL)
                s.daemon.start()
        verdicts = s.told(lambda v: len(v) >= 3, 120)
        s.settle(1)
        rules_hold(verdicts)
        check(s.daemon.counter('verdict_conflicts') == 0, f'{s.daemon.status()["counters"]}')
        told.append([core(v) for v in s.daemon.verdicts()])
        s.daemon.stop()
        s.gateway.close()
    check(told[0] == told[1], f'{[(v["id"], v["record_number"], v.get("verdict"), v.get("p_true")) for v in told[0] + told[1]]}')


def make(folder):
    import os
    os.makedirs(folder)


def sub_images_and_their_triggers_are_one_sequence_in_either_order(folder, started):
    s = Triggers(folder, started)
    s.svom('sb26000001', ra=83.6, dec=22.0, ra_dec_error=0.1)
    s.told(lambda v: len(v) == 1 and v[0]['awaiting'] == 'subimage' and 'expected_by' in v[0])
    s.gateway.send(IMAGES, good(1))
    s.told(lambda v: len(v) == 2 and 'verdict' in v[1])
    s.gateway.send(IMAGES, good(2))
    s.told(lambda v: len(v) == 3 and v[2]['record_number'] == 1)
    s.svom('sb26000002', ra=83.6, dec=22.0, ra_dec_error=0.1)
    verdicts = s.told(lambda v: len(v) == 4)
    check(verdicts[3]['record_number'] == 2 and verdicts[3]['ra'] == 83.6 and verdicts[3]['evidence'][0]['name'] == 'image', f'{verdicts[3]}')
    s.daemon.kill(signal.SIGKILL)
    s.daemon.start()
    s.svom('sb26000002', 'retraction')
    verdicts = s.told(lambda v: len(v) == 5)
    rules_hold(verdicts)
    last = verdicts[4]
    was_true = any(v.get('verdict') == 'true' for v in of(verdicts, 'sb26000002'))
    check((last['alert_type'], last['state'], last['verdict']) == (('retraction', 'retracted', 'false') if was_true else ('update', 'rejected', 'false')), f'{last}')
    check(s.daemon.wait_for(lambda status: status['counters']['alarms'] == int(was_true)), 'the mission has withdrawn what the data call true')
    check(('alarm=decision id=sb26000002' in s.daemon.log.read_text()) == was_true, 'the alarm names it')
    check(s.daemon.counter('verdict_conflicts') == 0, 'conflicts')


def what_came_while_burstd_was_down_is_not_told_as_missing(folder, started):
    """It was due while nobody read: what history holds comes first."""
    s = Triggers(folder, started)
    when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 600 + 8 * SLOW))
    s.notice(b'burst-test.v1.svom.trigger', 1, mission='SVOM', instrument='ECLAIRs', id=['sb26000009'], alert_type='initial', trigger_time=when)
    v = s.told(lambda v: v)[0]
    check(v.get('awaiting') == 'subimage', f'{v}')
    s.settle(1)
    s.daemon.kill(signal.SIGKILL)
    time.sleep(10 * SLOW)
    check(time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()) > v['expected_by'], 'it is not due yet')
    s.gateway.send(b'burst-test.v1.svom.eclairs.subimage', good(9), 1)
    s.daemon.start()
    time.sleep(2 * SLOW)  # the gateway is slow to answer
    verdicts = s.told(lambda v: len(v) >= 2)
    s.settle(1)
    verdicts = s.daemon.verdicts()
    check(len(verdicts) == 2 and verdicts[0].get('awaiting') == 'subimage' and verdicts[1]['evidence'][0]['name'] == 'image',
          f'{[(w["record_number"], w.get("reason_code"), w.get("reasons")) for w in verdicts]}')


def an_event_that_newer_ones_pushed_out_of_the_book_goes_on_where_it_was(folder, started):
    """256 are held; all that have been told are kept."""
    s = Triggers(folder, started)
    s.svom('sb26000001', ra=83.6, dec=22.0, ra_dec_error=0.1)
    s.gateway.send(IMAGES, good(1))
    s.told(lambda v: len(v) == 2)
    s.svom('sb26000002')
    for i in range(260):
        s.svom(f'sb26{5000 + i:06d}')
        s.gateway.serve()
    s.told(lambda v: len(v) == 263, 120)
    s.svom('sb26000001', 'retraction')
    s.told(lambda v: len(v) == 264)
    s.daemon.kill(signal.SIGKILL)
    s.daemon.start()
    s.gateway.send(IMAGES, good(2))
    s.svom('sb26000001', 'retraction')  # it is withdrawn already
    s.svom('sb26005259', 'retraction')
    verdicts = s.told(lambda v: len(v) >= 266)
    rules_hold(verdicts)
    first, second = of(verdicts, 'sb26000001'), of(verdicts, 'sb26000002')
    check(len(first) == 3 and first[2]['state'] in ('rejected', 'retracted') and first[2]['ra'] == 83.6, f'{first}')
    check(len(second) == 2 and second[1]['evidence'][0]['name'] == 'image', f'{second}')
    check(s.daemon.counter('verdict_conflicts') == 0, 'conflicts')


def a_test_trigger_on_a_live_topic_is_told_as_a_test(folder, started):
    s = Triggers(folder, started)
    s.notice(b'burst.v1.svom.trigger', 0, mission='SVOM', instrument='ECLAIRs', id=['sb26112003'], alert_type='initial', alert_tense='test', trigger_time='2026-11-20T03:12:26.5Z')
    v = s.told(lambda v: v)[0]
    check(v['alert_tense'] == 'test' and s.daemon.verdicts('burst-test.v1.svom') and not s.daemon.verdicts('burst.v1.'), f'{v}')


def burstctl_shows_what_is_awaited_and_what_was_withdrawn(folder, started):
    def page(*arguments):
        code, out, why = s.ctl(*arguments)
        check(code == 0, f'{arguments}: {why}')
        return out
    s = Triggers(folder, started)
    s.svom('sb26112003', ra=143.2478, dec=-68.0289, ra_dec_error=0.1)
    s.told(lambda v: v)
    line = page('alerts')
    check(re.search(r'03:12:26Z AWAITS +sb26112003 ECLAIRs RA 143.2478 Dec -68.0289 .*OPEN subimage by 03:22:26Z$', line.strip()), line)
    shown = page('show', 'sb26112003')
    check('awaiting                  subimage' in shown and 'expected_by' in shown and 'model ' not in shown, shown)
    s.svom('sb26112003', 'update', ra=143.2478, dec=-68.0289, ra_dec_error=0.008)
    s.told(lambda v: len(v) == 2)
    line = page('alerts')
    check(' r90 29" ' in line, f'half a minute of arc is not nothing: {line}')
    s.svom('sb26112003', 'retraction')
    s.told(lambda v: len(v) == 3)
    line = page('alerts')
    check('FALSE   0.50' in line and line.strip().endswith('REJECTED #3 OTHER'), line)


VOEVENT = ('<voe:VOEvent ivorn="ivo://nasa.gsfc.gcn/Fermi#GBM_{what}_2026-02-07T05:42:33.65_{number}" role="observation" version="2.0" '
           'xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"><What><Param name="Packet_Type" value="{kind}"/><Param name="TrigID" value="{number}"/></What>'
           '<WhereWhen><ObsDataLocation><ObservationLocation><AstroCoords><Time><TimeInstant><ISOTime>2026-02-07T05:42:33.65</ISOTime></TimeInstant></Time>'
           '</AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen></voe:VOEvent>')


def a_file_is_refused_in_the_words_of_its_own_mission(folder, started):
    """burst-classify tries every mission on a notice: what the right one says is told, not that it is no other's."""
    def told(name, text):
        pathlib.Path(f'{folder}/{name}').write_text(text)
        return classify(f'{folder}/{name}')
    code, verdicts, why = told('alert.xml', VOEVENT.format(what='Alert', number=792135758, kind=110))
    check(code == 0 and verdicts[0]['id'] == 'Fermi-GBM-792135758', f'{code} {why}')
    code, _, why = told('weak.xml', VOEVENT.format(what='Subthresh', number=792135758, kind=131))
    check(code == 1 and 'Fermi packet type 131' in why, why)
    code, _, why = told('other.xml', VOEVENT.format(what='Alert', number=792135000, kind=110))
    check(code == 1 and 'another second of mission elapsed time' in why, why)
    code, _, why = told('nameless.json', '{"id": ["a1"], "trigger_time": "2026-02-07T05:42:33Z"}')
    check(code == 1 and 'neither mission, instrument' in why, why)
    code, _, why = classify(f'{folder}/absent.json')
    check(code == 4 and why.count('absent.json') == 1, why)


def notices_in_order():
    """(time of publication, topic word, body) of every real notice."""
    out = []
    for path in sorted(NOTICES.glob('*/*')):
        if path.suffix == '.json':
            body = path.read_bytes()
            words = json.loads(body)
            when = words.get('trigger_time') or words['Who']['Date']
            out.append((when[:19], 'gecam-b' if 'GECAM' in words.get('ivorn', '') else 'external', body))
        elif path.suffix == '.xml':
            body = path.read_bytes()
            root = ET.fromstring(body)
            ivorn = root.get('ivorn')
            when = next(e.text for e in root.iter() if e.tag.endswith('Date'))
            word = 'svom' if 'svom' in ivorn else 'fermi' if 'Fermi' in ivorn else 'gecam-b' if 'GECAM' in ivorn else 'external'
            out.append((when[:19], word, body))
    return sorted(out)


def param(body, name):
    m = re.search(rf'name="{name}"[^>]*?value="\s*([^"]*?)\s*"'.encode(), body)
    return m and m.group(1).decode()


def every_real_notice_in_the_order_of_its_time_keeps_every_rule(folder, started):
    if not NOTICES.exists():
        return '../shared/data/gcn-notices is absent'
    s = Triggers(folder, started)
    probe = subprocess.Popen([sys.executable, str(PROBE), 'watch', '--topic', 'burst.v1.', '--live', s.daemon.live, '--history', s.daemon.history, '--from-start', '--seconds',
                              str(60 * SLOW)], stdout=open(f'{folder}/probe.json', 'w'), stderr=open(f'{folder}/probe.log', 'w'))
    started.append(probe)
    real = notices_in_order()
    seen = set()
    for _, word, body in real:
        s.gateway.send(f'burst.v1.{word}.trigger'.encode(), body, 0, JSON if body.lstrip()[:1] == b'{' else XML)
        seen.add((word, body))
        if len(seen) % 40 == 0:
            s.settle(0.3)
    check(s.daemon.wait_for(lambda x: s.settle(0.2) or x['counters']['messages'] >= len(real), 120), f'{s.daemon.status()["counters"]}')
    s.settle(3)
    verdicts = s.daemon.verdicts()
    counters = s.daemon.status()['counters']
    bad = {k: n for k, n in counters.items() if k.startswith('bad_') and n}
    check(not bad and counters['notices'] == len(seen), f'{len(seen)} notices: {counters["notices"]} {bad}')
    check(counters['verdict_conflicts'] == 0 and counters['forks'] == 0 and counters['publish_failed'] == 0, f'{counters}')
    rules_hold(verdicts)
    told, ours, withdrawn = finals(verdicts), set(), set()
    for _, word, body in real:
        burst, instrument, kind, trigger = (param(body, name) for name in ('Burst_Id', 'Instrument', 'Packet_Type', 'TrigID'))
        if burst and instrument in ('ECLAIRs', 'GRM'):
            ours.add(burst)
        if burst and kind == '219':
            withdrawn.add(burst)
        if word == 'fermi':
            ours.add('Fermi-GBM-' + trigger)
    ours |= {i for i in told if i.startswith('GECAM')}
    check(set(told) == ours, f'{sorted(set(told) ^ ours)}')
    check(withdrawn and all(told[i]['state'] in ('rejected', 'retracted') for i in withdrawn), f'{[(i, told[i]["state"]) for i in withdrawn]}')
    check(all(v['state'] == 'open' and v['verdict'] == 'unclear' for i, v in told.items() if i not in withdrawn), 'what has no data is unclear')
    code = probe.wait(120 * SLOW)
    check(code == 0, open(f'{folder}/probe.log').read()[-800:])
    print(f'# {len(real)} notices, {len(told)} events, {len(verdicts)} records, {len(withdrawn)} withdrawn', flush=True)


if __name__ == '__main__':
    cases = Cases()
    for case in (a_trigger_before_its_data_is_answered_by_them, a_trigger_in_mid_burst_joins_the_event_that_the_search_found,
                 a_trigger_after_its_data_is_answered_from_what_was_judged, killed_while_a_triggered_event_is_open_it_goes_on,
                 sub_images_and_their_triggers_are_one_sequence_in_either_order, a_test_trigger_on_a_live_topic_is_told_as_a_test,
                 an_event_that_newer_ones_pushed_out_of_the_book_goes_on_where_it_was,
                 what_came_while_burstd_was_down_is_not_told_as_missing,
                 burstctl_shows_what_is_awaited_and_what_was_withdrawn, a_file_is_refused_in_the_words_of_its_own_mission,
                 every_real_notice_in_the_order_of_its_time_keeps_every_rule):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
