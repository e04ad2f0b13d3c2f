"""Where the programs, libraries and data of a GPU run are: in a build, or in the folder that `pack` made on another machine."""
import array
import glob
import importlib.util
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHIVE = 'pack.tar.xz'
WINDOW_BINS, ATOMS, COUNT_ROWS, COUNT_BINS = 1875, 5, 32, 1875 + 16 * 128
BANDS = '0-1,1-2,1-3,2-3,2-4,2-5,3-4,3-5,4-5'  # models/gecam-resnet-mscfm: burst.bands_kev over the five atoms


class Places:
    """stand_in: programs named *_standin of a test build. pack: folder of `pack`. build: a build folder."""

    def __init__(self, stand_in=False, pack=None, build=None):
        self.stand_in, self.temporary = stand_in, None
        self.libraries = []
        if pack:
            self.temporary = tempfile.TemporaryDirectory(prefix='burst-gpu-')
            self.base = pathlib.Path(self.temporary.name)
            unpack(pathlib.Path(pack) / ARCHIVE, self.base)
            self.libraries.append(self.base / 'lib')
            self.build = self.base / 'bin'
        else:
            default = os.environ.get('BURST_BUILD', ROOT / 'build/release') if stand_in else ROOT / 'build/gpu'
            self.base = None
            self.build = pathlib.Path(build or default).resolve()
        self.cuda_libraries = [] if stand_in else find_cuda()
        self.libraries += self.cuda_libraries
        self.work = tempfile.TemporaryDirectory(prefix='burst-gpu-work-')

    def program(self, name):
        """Path of a program by its plain name, or None. On the stand-in those that have a device are NAME-standin or NAME_standin."""
        names = [f'{name}_standin', f'{name}-standin', name] if self.stand_in else [name]
        for n in names:
            for folder in ('', 'gpu', 'tests', 'bench', 'standin'):
                path = self.build / folder / n
                if path.is_file() and os.access(path, os.X_OK):
                    return path
        return None

    def glob(self, pattern):
        found = [p for folder in ('', 'gpu', 'tests', 'standin') for p in sorted((self.build / folder).glob(pattern))]
        return [p for p in found if p.is_file() and os.access(p, os.X_OK) and p.suffix == '']

    def env(self, **more):
        """For programs of ours only: Python's own libraries must not be mixed with the pack's."""
        path = ':'.join(map(str, [*self.libraries, *filter(None, [os.environ.get('LD_LIBRARY_PATH')])]))
        return dict(os.environ, BURST_DATADIR=str(ROOT), LC_ALL='C.UTF-8', **({'LD_LIBRARY_PATH': path} if path else {}), **more)

    def scratch(self, name):
        path = pathlib.Path(self.work.name) / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def sets(self):
        """The folder with windows.f32, images.f32 and counts.u32: the pack's, else made now."""
        if self.base and (self.base / 'sets').is_dir():
            return self.base / 'sets'
        folder = self.scratch('sets')
        if not (folder / 'counts.u32').exists():
            make_sets(folder, self.program('burst-sim'), self.env(), 8 if self.stand_in else 512)
        return folder

    def call(self, command, timeout=600, **more):
        """Exit status (None: it did not end in time), standard output, standard error."""
        try:
            done = subprocess.run([str(c) for c in command], env=self.env(**more), capture_output=True, text=True, timeout=timeout, cwd=ROOT)
        except subprocess.TimeoutExpired as e:
            return None, text(e.stdout), text(e.stderr)
        return done.returncode, done.stdout, done.stderr


def unpack(path, folder):
    """By Python where it was built with lzma, else by tar."""
    try:
        with tarfile.open(path) as archive:
            archive.extractall(folder, **({'filter': 'fully_trusted'} if sys.version_info >= (3, 12) else {}))
    except tarfile.CompressionError:
        subprocess.run(['tar', '-xJf', path, '-C', folder], check=True)


def text(value):
    return value.decode(errors='replace') if isinstance(value, bytes) else value or ''


def find_cuda():
    """Folders with cuDNN 9 and what it loads: the toolkit's, and those of Python's nvidia packages (the libraries that PyTorch uses)."""
    folders = [p for p in ('/usr/local/cuda/lib64', '/usr/local/cuda/lib') if glob.glob(f'{p}/libcudnn.so.9')]
    sites = {sysconfig.get_paths()['purelib'], sysconfig.get_paths()['platlib']}
    spec = importlib.util.find_spec('nvidia')
    roots = [*(spec.submodule_search_locations if spec and spec.submodule_search_locations else []), *(f'{s}/nvidia' for s in sorted(sites))]
    for library in ('libcudnn.so.9', 'libcublasLt.so.13', 'libnvrtc.so.13', 'libcudart.so.13', 'libnvJitLink.so.13'):
        if any(os.path.exists(f'{f}/{library}') for f in folders):
            continue
        folders += [os.path.dirname(p) for root in roots for p in sorted(glob.glob(f'{root}/*/lib/{library}'))[:1]][:1]
    return [pathlib.Path(f) for f in dict.fromkeys(folders)]


def bare_floats(npy, to):
    """The numbers of a C-ordered little-endian float32 .npy file, without its head. Source: numpy.lib.format, version 1.0."""
    data = pathlib.Path(npy).read_bytes()
    size = int.from_bytes(data[8:10], 'little')
    head = data[10:10 + size].decode('latin1')
    if data[:8] != b'\x93NUMPY\x01\x00' or "'<f4'" not in head or "'fortran_order': False" not in head:
        raise ValueError(f'{npy}: {head}')
    pathlib.Path(to).write_bytes(data[10 + size:])


def make_counts(path, n_row, n_bin):
    """uint32 [row][ATOMS][bin]: numbers of a detector's rates, scattered as Poisson's are, and in every third row a burst."""
    draw, out = random.Random(4711), array.array('I')
    for row in range(n_row):
        for atom in range(ATOMS):
            for k in range(n_bin):
                mean = 12.0 / (1 + atom) * (1 + (3 * math.exp(-((k - 1200 - 20 * row) / 40) ** 2) if row % 3 == 0 else 0))
                out.append(max(0, round(draw.gauss(mean, math.sqrt(mean)))))
    if sys.byteorder != 'little':
        out.byteswap()
    pathlib.Path(path).write_bytes(out.tobytes())


def npy_values(path, kind):
    """The numbers of a .npy file of format 1.0."""
    raw = pathlib.Path(path).read_bytes()
    values = array.array(kind)
    values.frombytes(raw[10 + int.from_bytes(raw[8:10], 'little'):])
    if sys.byteorder != 'little':
        values.byteswap()
    return values


def standardised(counts, valid):
    """One band: mean 0 and deviation 1 over valid bins, missing ones 0, as burstd's windows are; all alike become 0."""
    live = [c for c, v in zip(counts, valid) if v]
    mean = sum(live) / len(live)
    deviation = math.sqrt(sum((c - mean) ** 2 for c in live) / len(live))
    return [(c - mean) / deviation if v and deviation > 0 else 0.0 for c, v in zip(counts, valid)]


def window_floats(part, path):
    """float32 [n][9][1875] of a light-curve set's atoms."""
    atoms, valid, out = npy_values(f'{part}/atoms.npy', 'H'), npy_values(f'{part}/valid.npy', 'B'), array.array('f')
    for row in range(len(valid) // WINDOW_BINS):
        live = valid[row * WINDOW_BINS:(row + 1) * WINDOW_BINS]
        atom = [atoms[(row * ATOMS + a) * WINDOW_BINS:(row * ATOMS + a + 1) * WINDOW_BINS] for a in range(ATOMS)]
        for first, last in (map(int, band.split('-')) for band in BANDS.split(',')):
            out.extend(standardised([sum(c) for c in zip(*atom[first:last])], live))
    if sys.byteorder != 'little':
        out.byteswap()
    pathlib.Path(path).write_bytes(out.tobytes())


def make_sets(folder, sim, env, n):
    """n simulated windows and half as many sub-images as bare floats, and counts of many detectors: the same for everyone."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for what, to, n_of in (('lightcurves', 'windows', n), ('images', 'images', n // 2)):
        with tempfile.TemporaryDirectory() as part:
            subprocess.run([sim, what, '--n', str(n_of), '--seed', '4711', '--out', part], env=env, check=True, stdout=subprocess.DEVNULL)
            if what == 'lightcurves':
                window_floats(part, folder / f'{to}.f32')
            else:
                bare_floats(f'{part}/x.npy', folder / f'{to}.f32')
    make_counts(folder / 'counts.u32', COUNT_ROWS, COUNT_BINS if n > 8 else WINDOW_BINS + 16 * 4)


def which(name):
    """A tool of the CUDA toolkit, on the PATH or where it is installed."""
    return shutil.which(name) or next(iter(glob.glob(f'/usr/local/cuda*/bin/{name}') + glob.glob(f'/opt/nvidia/*/*/{name}')), None)
