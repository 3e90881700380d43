"""Music is counted by its tags; a file without any, or a broken one, by its path."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.easyid3 import EasyID3
from mutagen.flac import FLAC
from mutagen.id3 import TALB, TIT2, TPE1
from mutagen.wave import WAVE
from pymediainfo import MediaInfo
from sqlalchemy import select

from vabhub.collectors.library import music_stats, read_codec, run_scan, sync_roots
from vabhub.collectors.library.names import parse_name
from vabhub.collectors.library.tags import with_tags
from vabhub.db import reading, transaction
from vabhub.models import LibraryFile
from vabhub.settings import MediaRoot, Settings

# An empty stream: 44.1 kHz, stereo, 16 bits.
_FLAC = b"fLaC\x80\x00\x00\x22\x10\x00\x10\x00" + bytes(6) + b"\x0a\xc4\x42\xf0" + bytes(20)
_MP3 = (b"\xff\xfb\x90\x64" + bytes(413)) * 8
_WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\x44\xac\0\0\x10\xb1\2\0\4\0\x10\0data\0\0\0\0"


def _flac(path: Path, **tags: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_FLAC)
    file = FLAC(path)
    file.update(tags)
    file.save()


def _read(path: Path, name: str) -> Any:
    return with_tags(parse_name(name, "music"), str(path))


def test_tags_are_believed_before_the_path(tmp_path: Path) -> None:
    path = tmp_path / "01 - wrong.flac"
    _flac(
        path,
        artist="周杰伦 feat. 费玉清",
        albumartist="周杰伦",
        album="依然范特西",
        title="千里之外",
        tracknumber="3/10",
    )
    name = _read(path, "Wrong/Folder/01 - wrong.flac")
    assert (name.artist, name.album, name.title, name.episode) == ("周杰伦", "依然范特西", "千里之外", 3)
    assert name.detail["track_artist"] == "周杰伦 feat. 费玉清"


def test_what_the_tags_do_not_say_the_path_says(tmp_path: Path) -> None:
    _flac(tmp_path / "a.flac", title="Tagged")
    name = _read(tmp_path / "a.flac", "Artist/Album/07 - Named.flac")
    assert (name.artist, name.album, name.title, name.episode) == ("Artist", "Album", "Tagged", 7)


def test_mp3_and_wav_tags_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(_MP3)
    tags = EasyID3()
    tags.update({"artist": "One", "album": "First", "title": "Song", "date": "1999-05-01"})
    tags.save(tmp_path / "a.mp3")
    (tmp_path / "b.wav").write_bytes(_WAV)
    tagged = WAVE(tmp_path / "b.wav")
    tagged.add_tags()
    for frame in (TPE1(text="Two"), TALB(text="Second"), TIT2(text="Other")):
        tagged.tags.add(frame)
    tagged.save()
    mp3, wav = _read(tmp_path / "a.mp3", "x.mp3"), _read(tmp_path / "b.wav", "x.wav")
    assert (mp3.artist, mp3.album, mp3.title, mp3.year) == ("One", "First", "Song", 1999)
    assert (wav.artist, wav.album, wav.title) == ("Two", "Second", "Other")


@pytest.mark.parametrize(
    "content", [b"", b"fLaC", _FLAC[:20], b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"OggS" + bytes(60)]
)
def test_a_broken_file_is_known_by_its_path(tmp_path: Path, content: bytes) -> None:
    for ending in ("flac", "mp3", "ogg", "m4a", "wma", "ape"):
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content)
        assert _read(path, f"Artist/Album/01 - Song.{ending}").title == "Song"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.binary(max_size=300),
    st.sampled_from([_FLAC, _MP3, _WAV, b"OggS", b"ID3\x04", b"\0\0\0\x20ftypM4A ", b"MAC ", b"wvpk", b""]),
    st.sampled_from(["flac", "mp3", "ogg", "opus", "m4a", "wma", "ape", "wv", "dsf", "aiff", "tta", "tak"]),
)
def test_no_content_stops_a_scan(tmp_path: Path, rest: bytes, head: bytes, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(head + rest)
    assert _read(path, f"Artist/Album/01 - Song.{ending}").kind == "track"


def test_albums_and_artists_are_counted_by_their_tags(
    database: Settings, redis: None, tmp_path: Path
) -> None:
    root = tmp_path / "music"
    for number, artist in enumerate(("A", "B", "C")):
        _flac(root / f"mix/{number}.flac", artist=artist, albumartist="Various Artists", album="Mix")
    _flac(root / "mix/9.flac", artist="A", album="Solo")
    (root / "list.m3u").write_text("mix/0.flac\n")
    with transaction() as session:
        roots = (MediaRoot(path=root, kind="music"),)
        root_id = sync_roots(session, database.model_copy(update={"media_roots": roots}))[0]
    run_scan(root_id)
    with reading() as session:
        data = music_stats(session).data or {}
    counts = [data[f"total_{name}"] for name in ("tracks", "albums", "artists", "playlists")]
    assert counts == [4, 2, 2, 1]


def test_the_codec_of_a_real_file_is_read(database: Settings, redis: None, tmp_path: Path) -> None:
    root = tmp_path / "music"
    root.mkdir()
    with wave.open(str(root / "a.wav"), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(4 * 44_100))
    with transaction() as session:
        roots = (MediaRoot(path=root, kind="music"),)
        root_id = sync_roots(session, database.model_copy(update={"media_roots": roots}))[0]
    run_scan(root_id)
    with reading() as session:
        file_id = session.scalars(select(LibraryFile.id)).one()
    found = read_codec(file_id)
    if not MediaInfo.can_parse():  # a machine that pymediainfo brings no libmediainfo for
        assert "libmediainfo" in found["reason"]
        return
    assert (found["audio_codec"], found["video_codec"], found["duration_s"]) == ("PCM", None, 1.0)
    assert found["reason"] is None
