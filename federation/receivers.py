"""What the exchange does when the catalogue changes: write outbox rows in the same transaction, nothing else."""

from django.dispatch import receiver

from catalog.models import Dataset, Review
from catalog.signals import dataset_purged, datasets_changed, review_decided, vocabularies_loaded
from federation.services import decisions, outbox


@receiver(datasets_changed, sender=Dataset, dispatch_uid="federation.outbox")
def publish(sender, datasets, documents=None, **kwargs):
    outbox.record(datasets, documents)
    decisions.record_grades(datasets)


@receiver(dataset_purged, sender=Dataset, dispatch_uid="federation.purge")
def publish_purge(sender, dataset, **kwargs):
    outbox.record_purge(dataset)


@receiver(review_decided, sender=Review, dispatch_uid="federation.national_review")
def decide(sender, review, **kwargs):
    if review.kind == Review.Kind.NATIONAL:
        decisions.follow_review(review)


@receiver(vocabularies_loaded, dispatch_uid="federation.vocabularies")
def national_terms_stand(sender, **kwargs):
    """What the national portal published goes over what was shipped with this version."""
    from federation.services import receive_reference

    receive_reference.apply_again()
