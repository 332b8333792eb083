"""Audio: decoded to its end in blocks; clipping, silence, sampling rate, duration."""

from django.utils.translation import gettext_noop as _

from quality.profiling import limits
from quality.profiling.table import Refused, finding

KINDS = {"WAV", "FLAC", "OGG", "MP3"}
BLOCK = 1 << 16  # frames
FULL = 0.999  # of full scale
CLIPPED = 0.001  # share of samples at full scale
SILENT_LEVEL, SILENT = 0.001, 0.9  # −60 dB; share of blocks below it
SHORT = 0.1  # seconds
LOW_RATE = 8_000


class Sounds:
    def __init__(self):
        self.count = 0
        self.seconds = 0.0
        self.broken: list[dict] = []
        self.rates: dict[str, int] = {}
        self.numbers: dict[str, int] = {}
        self.faults: dict[str, list[str]] = {}

    def add(self, name: str, stream) -> str:
        """Hear one recording; the reason when it cannot be read."""
        try:
            self._hear(name, stream)
        except Refused as refusal:
            self.broken.append({"place": name, "text": str(refusal)})
            return str(refusal)
        self.count += 1
        return ""

    def _hear(self, name: str, stream) -> None:
        import numpy as np
        import soundfile

        try:
            with soundfile.SoundFile(stream) as sound:
                rate, channels, declared = sound.samplerate, sound.channels, sound.frames
                frames = full = quiet = blocks = 0
                budget = limits.AUDIO_SECONDS * max(1, rate)
                for block in sound.blocks(blocksize=max(1, min(BLOCK, rate // 10)), dtype="float32", always_2d=True):
                    frames += len(block)
                    level = np.abs(block)
                    full += int((level >= FULL).sum())
                    quiet += bool(np.sqrt(float((block * block).mean())) < SILENT_LEVEL)
                    blocks += 1
                    if frames > budget:
                        break
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError, TypeError) as error:
            raise Refused(f"音频解码失败：{str(error)[:120]}。") from error
        if not frames:
            raise Refused(_("音频里没有声音数据。"))
        if declared < 2**62 and frames < min(declared, budget) * 0.98:
            raise Refused(f"音频不完整：声明 {declared} 帧，读到 {frames} 帧。")
        self.seconds += frames / rate
        self.rates[str(rate)] = self.rates.get(str(rate), 0) + 1
        for kind, holds in (("clipped", full > CLIPPED * frames * channels), ("silent", quiet >= SILENT * blocks), ("short", frames < SHORT * rate),
                            ("low_rate", rate < LOW_RATE)):  # fmt: skip
            if holds:
                self.numbers[kind] = self.numbers.get(kind, 0) + 1
                if len(self.faults.setdefault(kind, [])) < limits.EXAMPLES:
                    self.faults[kind].append(name)

    def result(self) -> dict:
        return {
            "kind": "audio",
            "count": self.count,
            "broken": len(self.broken),
            "faults": self.numbers,
            "rates": self.rates,
            "seconds": round(self.seconds, 2),
        }

    def findings(self) -> list[dict]:
        out = [
            finding("0208", f"audio_{kind}", "warning", "、".join(self.faults[kind][:5]), f"{TOLD[kind]}：{number} 段音频。")
            for kind, number in sorted(self.numbers.items())
        ]
        if len(self.rates) > 1:
            told = "、".join(f"{rate} Hz {count}" for rate, count in sorted(self.rates.items()))
            out.append(finding("0206", "mixed_rates", "warning", "", f"采样率不一：{told}。"))
        return out


TOLD = {"clipped": _("削波失真"), "silent": _("几乎全是静音"), "short": _("时长过短"), "low_rate": _("采样率过低")}


def profile(path, name: str) -> dict:
    sounds = Sounds()
    with open(path, "rb") as stream:
        if reason := sounds.add(name, stream):
            raise Refused(reason)
    return {"media": [sounds.result()], "findings": sounds.findings()}
