"""Log lines that one record cannot break into two: CR and LF are escaped (log injection)."""

import logging


class LineFormatter(logging.Formatter):
    def formatMessage(self, record):
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)
