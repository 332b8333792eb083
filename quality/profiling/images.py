"""Images: decoded whole (a header alone hides a file that is cut), then looked at for sharpness, light, content and doubles."""

import hashlib
import io
import warnings

from django.utils.translation import gettext_noop as _

from quality.profiling import limits
from quality.profiling.table import Refused, finding

KINDS = {"PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"}
SIDE = 512  # looked at in this size
BLURRED = 12.0  # variance of the Laplacian of the shrunken grey image
DARK, BRIGHT = 20.0, 240.0  # mean grey
FLAT = 2.0  # bits of entropy of the grey levels
SMALL = 32  # pixels of the shorter side
NEAR = 3  # bits of 64 in which the difference hashes of doubles may differ


class Images:
    """Counts over the images of a sample, with the members that show each fault."""

    def __init__(self):
        self.count = self.skipped = 0
        self.broken: list[dict] = []
        self.faults: dict[str, list[str]] = {}
        self.numbers: dict[str, int] = {}
        self.digests: dict[str, str] = {}
        self.hashes: list[tuple[int, str]] = []
        self.modes: dict[str, int] = {}
        self.sizes: list[tuple[int, int]] = []

    def add(self, name: str, raw: bytes) -> str:
        """Look at one image; the reason when it cannot be read."""
        if self.count + len(self.broken) >= limits.IMAGES:
            self.skipped += 1
            return ""
        try:
            self._look(name, raw)
        except Refused as refusal:
            self.broken.append({"place": name, "text": str(refusal)})
            return str(refusal)
        self.count += 1
        return ""

    def _look(self, name: str, raw: bytes) -> None:
        import numpy as np
        from PIL import Image

        grey, small, size, mode = _grey(raw)
        mode_is_lossy = raw.startswith(b"\xff\xd8")
        pixels = np.asarray(grey, dtype=np.float32)
        self.sizes.append(size)
        self.modes[mode] = self.modes.get(mode, 0) + 1
        shares = np.bincount(pixels.astype(np.uint8).ravel(), minlength=256) / pixels.size
        entropy = float(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum())
        light = float(pixels.mean())
        if mode_is_lossy and is_cut(pixels):
            self._fault("cut", name)
        if min(size) < SMALL:
            self._fault("small", name)
        if light < DARK or light > BRIGHT:
            self._fault("dark" if light < DARK else "bright", name)
        if entropy < FLAT:
            self._fault("flat", name)
        elif min(pixels.shape) >= 8 and float(_laplacian(pixels).var()) < BLURRED:
            self._fault("blurred", name)
        digest = hashlib.sha256(raw).hexdigest()
        if digest in self.digests:
            self._fault("duplicate", f"{name}（同 {self.digests[digest]}）")
            return
        self.digests[digest] = name
        bits = np.asarray(small.resize((9, 8), Image.Resampling.BILINEAR), dtype=np.int16)
        value = int("".join("1" if bit else "0" for bit in (bits[:, 1:] > bits[:, :-1]).ravel()), 2)
        if entropy >= FLAT:  # one-coloured images all look alike
            twin = next((other for seen, other in self.hashes if (seen ^ value).bit_count() <= NEAR), None)
            if twin:
                self._fault("near_duplicate", f"{name}（近似 {twin}）")
            self.hashes.append((value, name))

    def _fault(self, kind: str, place: str) -> None:
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        kept = self.faults.setdefault(kind, [])
        if len(kept) < limits.EXAMPLES:
            kept.append(place)

    def result(self) -> dict:
        sides = sorted(self.sizes)
        return {
            "kind": "image",
            "count": self.count,
            "broken": len(self.broken),
            "faults": self.numbers,
            "modes": self.modes,
            "smallest": list(sides[0]) if sides else [],
            "largest": list(sides[-1]) if sides else [],
            "skipped": self.skipped,
        }

    def findings(self) -> list[dict]:
        return [
            finding(
                "0201" if kind == "cut" else "0208", f"image_{kind}", "warning", "、".join(self.faults[kind][:5]), f"{TOLD[kind]}：{number} 张图片。"
            )
            for kind, number in sorted(self.numbers.items())
        ]


TOLD = {
    "small": _("图片过小"), "dark": _("图片过暗"), "bright": _("图片过亮"), "flat": _("图片几乎没有内容"), "blurred": _("图片模糊"),
    "duplicate": _("图片重复"), "near_duplicate": _("图片近似重复"),
    "cut": _("图片下部是单一颜色，像被截断"),
}  # fmt: skip


def _grey(raw: bytes):
    """(grey image of at most SIDE, the same for the hash, size, mode) of a file decoded to its end."""
    from PIL import Image, ImageFile, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = limits.IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # weasyprint switches it on for the whole process when it is imported
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=sorted(KINDS)) as image:
                if image.width * image.height > limits.IMAGE_PIXELS:
                    raise Refused(f"图片有 {image.width}×{image.height} 像素，超过上限。")
                size, mode = image.size, image.mode
                image.load()
                grey = image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(_("图片像素数过大，按解压炸弹拒绝。")) from error
    except UnidentifiedImageError as error:
        raise Refused(_("不是可识别的图片。")) from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, OverflowError) as error:
        raise Refused(f"图片解码失败：{str(error)[:120]}。") from error
    grey.thumbnail((SIDE, SIDE))
    return grey, grey, size, mode


def is_cut(pixels) -> bool:
    """A JPEG that ends early is filled up with its last colour: the lower part is flat to the last row, the upper is not."""
    flat = pixels.std(axis=1) < 0.5
    rows = len(flat)
    run = rows if flat.all() else int(flat[::-1].argmin())
    colour = float(pixels[-1].mean())
    return rows >= 16 and 0.1 * rows <= run < 0.95 * rows and 16 < colour < 240 and bool(abs(pixels[rows - run :] - colour).max() < 3)


def _laplacian(pixels):
    return 4 * pixels[1:-1, 1:-1] - pixels[:-2, 1:-1] - pixels[2:, 1:-1] - pixels[1:-1, :-2] - pixels[1:-1, 2:]


def profile(path, name: str) -> dict:
    with open(path, "rb") as stream:
        raw = stream.read(limits.ZIP_MEMBER_BYTES + 1)
    if len(raw) > limits.ZIP_MEMBER_BYTES:
        raise Refused(_("文件过大，不在这里解码。"))
    images = Images()
    if reason := images.add(name, raw):
        raise Refused(reason)
    return {"media": [images.result()], "findings": images.findings()}
