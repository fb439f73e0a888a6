"""Superset without its own database: what it would write there is left out."""

from superset.utils.log import AbstractEventLogger

SECRET_KEY = "of-a-test-that-keeps-nothing-of-this"
SQLALCHEMY_DATABASE_URI = "sqlite://"


class NoEventLogger(AbstractEventLogger):
    def log(self, *_, **__):
        pass


EVENT_LOGGER = NoEventLogger()
