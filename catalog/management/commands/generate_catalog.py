"""generate_catalog --count N: a made catalogue of any size, to try and to measure with."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from catalog.generated import writing
from catalog.generated.listings import NoVocabulary
from catalog.progress import Progress
from catalog.search.backends.base import EngineDown

MOST = 10_000_000


class Command(BaseCommand):
    help = _("生成示例目录（装载数据）：同一种子得到同样的内容；中断后再运行同一命令会接着写。")

    def add_arguments(self, parser):
        parser.add_argument("--count", type=int, required=True, help=_("这个种子共要多少条。"))
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--versions", action="store_true", help=_("为每条写入第一个版本（较慢，数据库约大一倍）。"))
        parser.add_argument("--force", action="store_true", help=_("库中有真实登记也写入。"))

    def handle(self, *, count, seed, versions, force, verbosity, **options):
        if not 1 <= count <= MOST:
            raise CommandError(_("--count 应为 1 至 %(most)d。") % {"most": MOST})
        if not force and writing.holds_others():
            raise CommandError(_("库中有真实登记，未写入。确要混入示例数据，请加 --force。"))
        with Progress(self.stderr._out, silent=verbosity == 0) as progress:
            try:
                written, there = writing.generate(count, seed=seed, with_versions=versions, on_progress=progress.show)
            except NoVocabulary:
                raise CommandError(_("还没有词表，请先运行 manage.py load_vocabularies。")) from None
            except EngineDown as error:
                raise CommandError(_("记录已写入；Elasticsearch 没有应答，恢复后会自动补上：%(error)s") % {"error": error}, returncode=2) from None
            except KeyboardInterrupt:
                progress.close()
                self.stderr.write(_("已停止，共有 %(done)d 条；再运行同一命令会接着写。") % {"done": writing.written(seed)})
                sys.exit(130)
        self.stdout.write(_("写入 %(written)d 条，原有 %(there)d 条。") % {"written": written, "there": there})
