"""What happens around every task: its ids in each log line, and one line when it fails."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, MessageProxy
from dramatiq.middleware import Middleware

from vabhub import log

logger = log.get_logger(__name__)


class TaskLog(Middleware):
    """Binds the task's name and message id while it runs.

    Failures are logged here, once; Dramatiq itself logs a traceback for each.
    """

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Bind the ids."""
        log.bind(task=message.actor_name, message_id=message.message_id)

    def after_process_message(
        self,
        _broker: Broker,
        _message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Forget them, so that the thread's next task does not carry them."""
        if exception is None:
            logger.debug("task.done", returned=result is not None)
        log.unbind_all()

    def after_skip_message(self, _broker: Broker, _message: MessageProxy) -> None:
        """Forget them here too."""
        log.unbind_all()
