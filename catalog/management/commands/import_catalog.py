"""import_catalog PATH|URL: an operator's import of a foreign catalogue, whole or as a dry run."""

import json
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from catalog import outgoing
from catalog.interchange import detect
from catalog.interchange.parsed import Unreadable
from catalog.interchange.reading import ENDINGS, read_catalog
from catalog.interchange.tabular import read_mapping
from catalog.models import Organization
from catalog.progress import Progress
from catalog.services.importing import Report, import_records

URL_MAX = 256 * 1024 * 1024
URL_TIMEOUT = 300
SHOWN = 20  # rejections printed without --json


class Command(BaseCommand):
    help = _("导入外部目录：文件、文件夹或网址。再次导入同一来源不改变任何内容。")

    def add_arguments(self, parser):
        parser.add_argument("source", metavar="PATH|URL")
        parser.add_argument("--format", choices=detect.FORMATS, default="auto")
        parser.add_argument("--map", metavar="FILE", help=_("列名到登记项的对应表：JSON 对象，或两列的 CSV。"))
        parser.add_argument("--organization", metavar="UID|NAME", help=_("全部记录归于这个机构；不给则按各条记录的发布者。"))
        parser.add_argument("--status", choices=("draft", "submitted", "listed"), default="listed")
        parser.add_argument("--dry-run", action="store_true", help=_("只报告，不写入。"))
        parser.add_argument("--json", action="store_true", help=_("只输出一个 JSON 对象。"))

    def handle(self, *, source, **options):
        self.report = Report()
        mapping = self._mapping(options["map"])
        organization = self._organization(options["organization"])
        progress = Progress(self.stderr._out, options["json"] or options["verbosity"] == 0)
        failed = False
        try:
            for name, content in self._contents(source):
                failed |= not self._one(name, content, mapping, organization, options, progress)
        except KeyboardInterrupt:
            progress.close()
            self._tell(options)
            self.stderr.write(_("已中断；完成的批次保留，再次运行会接着完成。"))
            sys.exit(130)
        progress.close()
        self._tell(options)
        report = self.report
        if failed or (report.records and report.rejected == report.records):
            sys.exit(1)

    def _mapping(self, path):
        if not path:
            return None
        try:
            return read_mapping(Path(path).read_bytes())
        except OSError as error:
            raise CommandError(_("读不了对应表 %(path)s：%(error)s") % {"path": path, "error": error.strerror}) from None
        except Unreadable as error:
            raise CommandError(str(error)) from None

    def _organization(self, said):
        if not said:
            return None
        found = Organization.objects.filter(home_portal=settings.PORTAL_ID).filter(name=said).first() or _by_uid(said)
        if found is None:
            raise CommandError(_("本门户没有机构“%(name)s”。") % {"name": said})
        return found

    def _contents(self, source):
        """(name, path or bytes) of each file of the source."""
        if urlsplit(source).scheme in ("http", "https") and "://" in source:
            yield source, self._fetched(source)
            return
        path = Path(source)
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in ENDINGS)
            if not files:
                raise CommandError(_("文件夹 %(path)s 里没有目录文件（%(endings)s）。") % {"path": source, "endings": " ".join(sorted(ENDINGS))})
            yield from ((str(file.relative_to(path)), file) for file in files)
        elif path.is_file():
            yield path.name, path
        else:
            raise CommandError(_("找不到 %(path)s。") % {"path": source})

    def _fetched(self, url):
        try:
            answer = outgoing.get(url, timeout=URL_TIMEOUT, max_bytes=URL_MAX)
        except (outgoing.OutgoingRefused, outgoing.OutgoingFailed) as error:
            raise CommandError(str(error)) from None
        if answer.status != 200:
            raise CommandError(_("%(url)s 回答 %(status)d，不是 200。") % {"url": url, "status": answer.status})
        return answer.content

    def _one(self, name, content, mapping, organization, options, progress) -> bool:
        """Import one file; False when it could not be read. What was stored before a broken place stays."""
        before, told = self.report.records, {}

        def detected(form, encoding):
            told.update(format=form, encoding=encoding)

        try:
            records = read_catalog(content, options["format"], mapping, on_detected=detected)
            import_records(
                records,
                organization=organization,
                status=options["status"],
                dry_run=options["dry_run"],
                name=name,
                report=self.report,
                on_batch=lambda report: progress.show(report.records),
            )
            return True
        except (Unreadable, OSError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.report.note(None, "unreadable", said, source=name)
            told["error"] = said
            return False
        finally:
            self.report.sources.append({"source": name, "records": self.report.records - before} | told)

    def _tell(self, options):
        report = self.report
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False))
            return
        for entry in report.errors[:SHOWN]:
            where = " ".join(str(part) for part in (entry.get("source"), entry["record"], entry["pointer"]) if part)
            self.stderr.write(f"{where}: {entry['message']}")
        if len(report.errors) > SHOWN:
            self.stderr.write(_("……另有 %(count)d 条，用 --json 查看全部。") % {"count": len(report.errors) - SHOWN})
        for told in report.sources if len(report.sources) == 1 else []:
            self.stdout.write(_("格式 %(format)s，编码 %(encoding)s") % {"format": told.get("format", "—"), "encoding": told.get("encoding", "—")})
        words = {name: getattr(report, name) for name in ("created", "updated", "unchanged", "rejected", "warnings")}
        text = _("新建 %(created)d，更新 %(updated)d，未变 %(unchanged)d，拒绝 %(rejected)d，提示 %(warnings)d") % words
        self.stdout.write((_("（试运行，未写入）") if options["dry_run"] else "") + text)


def _by_uid(said):
    try:
        uid = uuid.UUID(said)
    except ValueError:
        return None
    return Organization.objects.filter(home_portal=settings.PORTAL_ID, uid=uid).first()
