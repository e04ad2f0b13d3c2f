#!/usr/bin/python3
"""The layers of the house: reads every #include and fails on one that reaches upward or sideways."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a folder may include besides itself. The same table, seen by the linker, is in CMakeLists.txt.
MAY = {
    'lib/base': set(),
    'kernels': {'base'},
    'lib/records': {'base', 'kernels'},
    'lib/config': {'base'},
    'lib/stream': {'base'},
    'lib/fits': {'base'},
    'lib/net': {'base', 'kernels'},
    'lib/ingest': {'base', 'records', 'fits', 'stream', 'kernels'},
    'lib/prepare': {'base', 'records', 'kernels'},
    'lib/infer': {'base', 'records', 'net', 'kernels'},
    'lib/decide': {'base', 'records', 'kernels'},
    'lib/publish': {'base', 'records', 'stream', 'fits'},
    'lib/science': {'base', 'records', 'config', 'prepare', 'infer', 'decide', 'net', 'kernels'},
    'lib/client': {'base', 'stream'},
    'tools/sim': {'base', 'records', 'kernels', 'prepare', 'fits'},
    'tools/train': {'base', 'records', 'kernels', 'prepare', 'net'},
}
# A library from outside and the only folders that may know it.
OUTSIDE = {
    'zmq.h': {'lib/stream', 'daemon', 'tools', 'tests'},
    'fitsio.h': {'lib/fits', 'tests'},
    'sqlite3.h': {'lib/publish', 'tests'},
    'yaml.h': {'lib/config', 'tests'},
    'dnnl.h': {'lib/net', 'tests'},
    'oneapi/dnnl/dnnl.h': {'lib/net', 'tests'},
    'onnx.pb-c.h': {'lib/net', 'tests'},
    'erfa.h': {'lib/base', 'lib/prepare', 'tests'},
    'pthread.h': {'lib/base', 'daemon', 'tools', 'tests'},
    'cairo.h': {'tools/burst-sim'},
    'systemd/sd-daemon.h': {'daemon'},
    'openssl/evp.h': {'lib/base'},
    'libxml/parser.h': {'lib/ingest', 'lib/publish', 'tests'},
    'cuda_runtime.h': {'kernels'},
    'cuda_runtime_api.h': {'lib/net/cuda', 'daemon/cuda', 'tests'},
    'cudnn.h': {'lib/net/cuda', 'tests'},
}
ENDINGS = ('.c', '.h', '.cc', '.cu')
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


def folder_of(path):
    parts = path.relative_to(ROOT).parts
    return '/'.join(parts[:2]) if parts[0] in ('lib', 'tools') else parts[0]


def knows(path, folders):
    where = path.relative_to(ROOT).as_posix()
    return any(where.startswith(f + '/') for f in folders)


def faults_of(path):
    folder = folder_of(path)
    for name in INCLUDE.findall(path.read_text()):
        first = name.split('/')[0]
        allowed = MAY.get(folder)
        known = first == 'kernels' or (ROOT / 'lib' / first).is_dir()
        if allowed is not None and '/' in name and known and first != folder.split('/')[-1] and first not in allowed:
            yield f'{folder} may not include {name}'
        if name in OUTSIDE and not knows(path, OUTSIDE[name]):
            yield f'{folder} may not know {name}'


def main():
    failed = 0
    files = [p for d in ('lib', 'kernels', 'daemon', 'tools', 'tests') for p in sorted((ROOT / d).rglob('*')) if p.suffix in ENDINGS]
    faults = [f'{p.relative_to(ROOT)}: {f}' for p in files for f in faults_of(p)]
    for fault in faults:
        print(f'FAIL no_include_reaches_up_or_sideways: {fault}')
    failed += bool(faults)
    if not faults:
        print('ok no_include_reaches_up_or_sideways')
    folders = {f'lib/{d.name}' for d in (ROOT / 'lib').iterdir() if d.is_dir() and any(d.glob('*.[ch]'))}
    strangers = folders - set(MAY)
    print(f'FAIL every_folder_of_lib_has_a_layer: {sorted(strangers)}' if strangers else 'ok every_folder_of_lib_has_a_layer')
    failed += bool(strangers)
    long_files = [f'{p.relative_to(ROOT)} {n}' for p in files if (n := p.read_text().count('\n')) > 500]
    print(f'FAIL no_file_over_500_lines: {long_files}' if long_files else 'ok no_file_over_500_lines')
    failed += bool(long_files)
    return failed


if __name__ == '__main__':
    sys.exit(main())
