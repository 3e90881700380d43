"""Cutting texts and questions into words."""

from __future__ import annotations

import pytest

from vabhub.notify.words import LONGEST, asked_words, words_of


def _is_found(question: str, text: str) -> bool:
    kept = words_of(text)
    asked = asked_words(question)
    return bool(asked) and all(
        any(word.startswith(one) if begins else word == one for word in kept) for one, begins in asked
    )


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("down", "Download finished"),
        ("FINISHED down", "Download finished"),
        ("下载", "电影下载完成"),
        ("完", "电影下载完成"),
        ("成", "电影下载完成"),
        ("影下载完", "电影下载完成"),
        ("球2", "《流浪地球2》已入库"),
        ("第4集", "第4集 已更新"),
        ("テスト", "これはテストです"),
        ("알림", "새 알림이 있습니다"),
        ("s01e02", "Show.Name.S01E02.1080p.x265-GROUP"),
        ("e02 265", "Show.Name.S01E02.1080p.x265-GROUP"),
        ("bittorrent", "qBittorrent is back"),
        ("arger", "Ärger mit dem Server"),
        ("Ärger", "ARGER"),
        ("ABC", "ＡＢＣ"),
        ("straße", "STRASSE"),
        ("🎉", "done 🎉🎉"),
        ("हिन्दी", "हिन्दी में"),
        ("100% d", "100% done_now"),
    ],
)
def test_what_people_type_finds_what_they_mean(question: str, text: str) -> None:
    assert _is_found(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("载下", "下载"),
        ("down", "shutdown"),
        ("download failed", "Download finished"),
        ("0%_d", "100% done_now"),
        ("%", "100% done"),
        (" … ", "…"),
        ("", "anything"),
    ],
)
def test_what_is_not_there_is_not_found(question: str, text: str) -> None:
    assert not _is_found(question, text)


def test_a_word_is_kept_once() -> None:
    assert words_of("done Done DONE", "done") == ["done"]


def test_words_hold_nothing_that_a_query_language_could_read() -> None:
    text = """a"b'c*d(e)f:g&h|i!j<k>l\\m^n{o}p-q+r,s.t\x01u AND NOT "x" NEAR"""
    kept = words_of(text) + [word for word, _ in asked_words(text)]
    assert all(word.isalnum() for word in kept)


def test_a_text_without_an_end_costs_little() -> None:
    assert len(words_of("a1" * 32_000)) < 10
    assert all(len(word) <= LONGEST for word in words_of("x" * 65_000, "ﷺ" * 3000))
    assert _is_found("y" * 200, "y" * 500)
