"""News other apps may listen to. Services send them inside the transaction; receivers only write rows."""

from django.dispatch import Signal

# datasets: list[Dataset] whose listing document, status or admission changed and was saved; documents: {pk: listing document}
# of those that stand exactly so in the database (a batch that has just written them), for the others read anew
datasets_changed = Signal()
# sample: Sample whose file is new and waits for its profile
sample_added = Signal()
# sample, event: one counted download
sample_downloaded = Signal()
# review: decided Review
review_decided = Signal()
# dataset: erased by law (purge); uid stays known as a hash
dataset_purged = Signal()
# feedback: Feedback that was just given
feedback_given = Signal()
# users: {account name: User} of the demonstration, whose catalogue has just been filled; password: of further accounts
demo_filled = Signal()
# vocabularies were loaded from the files shipped; terms that came from elsewhere are put over them by receivers
vocabularies_loaded = Signal()
