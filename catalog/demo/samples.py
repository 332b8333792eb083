"""Generated sample files of the demonstration (seeded, declared synthetic) and Iris, which is real."""

import csv
import io
import json
import random
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def build(kind: str, seed: str) -> tuple[str, bytes]:
    """(file name, content) of one sample: iris, road, meter, dialogue, dirty."""
    return BUILDERS[kind](random.Random(seed))


def iris(_random) -> tuple[str, bytes]:
    return "iris.csv", (FOLDER / "iris.csv").read_bytes()


def _csv(header, rows, encoding="utf-8") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def road(rng) -> tuple[str, bytes]:
    """Image annotations: file, box, class, light."""
    classes = ["横向裂缝", "纵向裂缝", "坑槽", "修补"]
    rows = []
    for number in range(400):
        x, y = rng.randrange(0, 1600), rng.randrange(0, 900)
        box = [x, y, x + rng.randrange(20, 300), y + rng.randrange(20, 160)]
        day = f"2026-{rng.randrange(1, 10):02}-{rng.randrange(1, 28):02}"
        rows.append([f"img_{number:05}.jpg", *box, rng.choices(classes, [42, 38, 8, 12])[0], rng.choice(["晴", "阴", "雨"]), day])
    return "annotations.csv", _csv(["file", "x1", "y1", "x2", "y2", "label", "weather", "captured_on"], rows)


def meter(rng) -> tuple[str, bytes]:
    """Sensor series: time, device, temperature, pressure, power, state."""
    rows, temperature = [], 22.0
    for number in range(720):
        temperature += rng.gauss(0, 0.4) + (22 - temperature) * 0.05
        fault = rng.random() < 0.04
        rows.append(
            [
                f"2026-09-{1 + number // 24:02}T{number % 24:02}:00:00+08:00",
                f"D{1 + number % 6:03}",
                f"{temperature:.2f}",
                f"{101.3 + rng.gauss(0, 0.8) + (6 if fault else 0):.2f}",
                f"{max(0.0, 55 + 20 * rng.random() + (18 if fault else 0)):.1f}",
                "异常" if fault else "正常",
            ]
        )
    return "series.csv", _csv(["time", "device", "temperature_c", "pressure_kpa", "power_kw", "state"], rows)


def dialogue(rng) -> tuple[str, bytes]:
    """Records in the layout of TC609-5-2025-02, one JSON object a line."""
    topics = ["办理条件", "所需材料", "处理时限", "费用标准", "查询方式", "变更手续"]
    things = ["登记", "年检", "补贴", "证照", "合同", "检修", "随访", "报销"]
    lines = []
    for number in range(260):
        topic, thing = rng.choice(topics), rng.choice(things)
        code = rng.randrange(1000, 9999)
        record = {
            "id": f"demo-{number:05}",
            "rid": [],
            "data_content": [
                {"media_type": "text", "content": f"问：编号 {code} 的{thing}{topic}是什么？"},
                {
                    "media_type": "text",
                    "content": f"答：{thing}的{topic}以窗口公布的第 {rng.randrange(1, 40)} 号说明为准，通常 {rng.randrange(2, 15)} 个工作日答复。",
                },
            ],
            "annotation": {"label": [topic], "annotation_method": "半自动", "annotator": "专业标注员"},
            "original_time": f"2026-{rng.randrange(1, 9):02}-{rng.randrange(1, 28):02}",
            "last_modified_time": "2026-09-30",
            "version": "1.0.0",
            "license": "商业授权",
            "source": "自采",
            "source_details": "示例业务系统",
            "generated_data_indicator": 1,
        }
        lines.append(json.dumps(record, ensure_ascii=False))
    return "records.jsonl", ("\n".join(lines) + "\n").encode()


def dirty(rng) -> tuple[str, bytes]:
    """A table with the usual defects: missing values, duplicates, ragged rows. It earns a low grade, honestly."""
    rows = []
    for number in range(240):
        row = [f"S{number:04}", rng.choice(["", "N/A", "无", "36.5", "37.1"]), rng.choice(["", "男", "女", "-"]), rng.choice(["是", "否", "", ""])]
        rows.append(row + (["多出一列"] if rng.random() < 0.08 else []))
        if rng.random() < 0.15:
            rows.append(list(row))
    return "followup.csv", _csv(["id", "value", "sex", "confirmed"], rows, "gb18030")


BUILDERS = {"iris": iris, "road": road, "meter": meter, "dialogue": dialogue, "dirty": dirty}
