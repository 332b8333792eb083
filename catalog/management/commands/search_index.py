"""manage.py search_index build|check|repair|status: life of the search index."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError

from catalog.progress import Progress
from catalog.search.backends import get_backend
from catalog.search.backends.base import EngineDown


class Command(BaseCommand):
    help = "建立、核对、修复检索索引，或显示其状态。"

    def add_arguments(self, parser):
        parser.add_argument("action", choices=("build", "check", "repair", "status"))
        parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")

    def handle(self, *args, action, **options):
        self.as_json = options["json"]
        try:
            getattr(self, f"run_{action}")(get_backend())
        except EngineDown as error:
            raise CommandError(f"Elasticsearch 没有应答，未完成：{error}", returncode=2) from None
        except KeyboardInterrupt:
            self.stderr.write("已停止；已写入的部分有效，再运行一次即可补全。")
            sys.exit(130)

    def run_build(self, backend):
        with Progress(self.stderr._out, silent=self.as_json) as progress:
            done = backend.build(on_progress=progress.show)
        self.tell({"built": done}, f"已索引 {done} 条。")

    def run_check(self, backend):
        found = backend.check()
        self.tell(found, self.sentence(found))
        if any(found.values()):
            sys.exit(1)

    def run_repair(self, backend):
        found = backend.repair()
        self.tell(found, self.sentence(found) + " 已修复。")

    def run_status(self, backend):
        state = backend.status()
        self.tell(state, "\n".join(f"{name}: {value}" for name, value in state.items()))

    def sentence(self, found):
        return f"缺 {len(found['missing'])} 条，过时 {len(found['stale'])} 条，多余 {len(found['ghost'])} 条。"

    def tell(self, value, text):
        self.stdout.write(json.dumps(value, ensure_ascii=False) if self.as_json else text)
