import pytest
from django.db import DatabaseError, connection, transaction

from catalog.models import AuditEntry, Dataset
from catalog.services import audit
from tests.conftest import append_only
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db


def write(count):
    dataset = make_dataset()
    for number in range(count):
        audit.append("test.event", dataset, number=number)


def test_an_untouched_chain_verifies():
    write(3)

    assert audit.verify() == (3, "")


def test_an_altered_entry_is_named():
    write(3)

    AuditEntry.objects.filter(pk=2).update(data={"number": 99})

    assert audit.verify()[1].startswith("entry 2 ")


def test_a_deleted_entry_is_named():
    write(3)

    AuditEntry.objects.filter(pk=2).delete()

    assert audit.verify()[1] == "entry 2 is missing: the next one found is 3"


def test_entries_outside_a_transaction_are_refused(transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        audit.append("test.event", ("Dataset", "x"))


@pytest.mark.parametrize("statement", ["UPDATE catalog_auditentry SET action = 'x'", "DELETE FROM catalog_auditentry"])
def test_the_database_itself_refuses_to_change_the_trail(statement):
    write(1)
    append_only.create(None, Raw())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


class Raw:
    """Stands in for a schema editor, which SQLite refuses inside a transaction."""

    connection = connection

    def execute(self, statement, params=()):
        with connection.cursor() as cursor:
            cursor.execute(statement, params)


def test_nothing_is_visible_to_a_stranger_before_it_is_listed():
    draft = make_dataset()

    assert draft not in Dataset.objects.visible_to(None)
