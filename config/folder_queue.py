"""Celery broker in a folder, for the embedded profile: kombu's, with messages and bindings that appear and vanish whole.

kombu's own writes into the file that readers already see, so that a worker can meet half a message and stop, or an empty list of
bindings and drop what it should deliver. Here a message or a binding is renamed into place, and a message taken by a rename.
One taken and not yet run when the worker is killed is lost: Job rows stand for it.
"""

import hashlib
import logging
import os
import threading
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)
TRANSPORT_ALIASES["folder"] = "config.folder_queue:Transport"
# kombu notes a binding as known before it is written; a second thread would then send into an exchange that has none yet.
_binding = threading.Lock()


class Channel(filesystem.Channel):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        try:
            for folder in (self.data_folder_in, self.data_folder_out, self.control_folder):
                Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ChannelError(f"cannot make {folder}: {error.strerror}") from error

    def queue_bind(self, *args, **kwargs):
        with _binding:
            super().queue_bind(*args, **kwargs)

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        folder = self._bindings(exchange)
        row = dumps([routing_key or "", pattern or "", queue or ""])
        binding = folder / hashlib.sha256(row.encode()).hexdigest()[:20]
        if binding.exists():
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = folder / f"{uuid.uuid4().hex}.part"
            draft.write_text(row, encoding="utf-8")
            os.replace(draft, binding)
        except OSError as error:
            raise ChannelError(f"cannot write into {folder}: {error.strerror}") from error

    def get_table(self, exchange):
        folder = self._bindings(exchange)
        names = os.listdir(folder) if folder.exists() else []
        return [
            filesystem.exchange_queue_t(*loads((folder / name).read_text(encoding="utf-8"))) for name in sorted(names) if not name.endswith(".part")
        ]

    def _bindings(self, exchange) -> Path:
        return self._exchange_file(exchange).with_suffix(".bindings")

    def _put(self, queue, payload, **kwargs):
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}"
        try:
            draft = folder / f"{name}.part"
            draft.write_text(dumps(payload), encoding="utf-8")
            os.replace(draft, folder / f"{name}.{queue}.msg")
        except OSError as error:
            raise ChannelError(f"cannot write into {folder}: {error.strerror}") from error

    def _get(self, queue):
        folder = Path(self.data_folder_in)
        ending = f"{queue}.msg"
        for name in sorted(entry for entry in os.listdir(folder) if entry.partition(".")[2] == ending):
            taken = folder / f"{name}.taken"
            try:
                os.rename(folder / name, taken)
            except FileNotFoundError:  # another reader was first
                continue
            try:
                return loads(taken.read_text(encoding="utf-8"))
            except ValueError:
                logger.warning("Message %s was unreadable and is dropped; its job is found by the sweep", name)
            finally:
                taken.unlink(missing_ok=True)
        raise Empty

    def _size(self, queue):
        return sum(1 for name in os.listdir(self.data_folder_in) if name.partition(".")[2] == f"{queue}.msg")

    def _purge(self, queue):
        count = 0
        for name in os.listdir(self.data_folder_in):
            if name.partition(".")[2] == f"{queue}.msg":
                Path(self.data_folder_in, name).unlink(missing_ok=True)
                count += 1
        return count


class Transport(filesystem.Transport):
    Channel = Channel
