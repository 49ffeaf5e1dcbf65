"""Reports: one is made of a day that is over, fetched, and verified."""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def reports(desk: Desk) -> None:
    page = desk.page
    desk.open("/reports")
    make = page.locator(".make")
    make.get_by_label(desk.say("日期", "Day")).fill(desk.day)
    desk.button("编制报表", "Make a report", make).click()
    expect(make.get_by_role("status")).to_contain_text(desk.say("已编制", "Made"), timeout=SLOW_MS)
    code = make.get_by_role("status").inner_text().split()[-1].split("码")[-1].strip()
    row = page.locator(".list tbody tr", has_text=code)
    expect(row).to_contain_text(desk.day)
    with page.expect_download() as fetched:
        row.get_by_role("link", name=f"XLSX {desk.say('中文', 'English')}").click()
    content = Path(fetched.value.path()).read_bytes()
    assert load_workbook(io.BytesIO(content), read_only=True).sheetnames
    file = {
        "name": fetched.value.suggested_filename,
        "mimeType": "application/octet-stream",
        "buffer": content,
    }
    page.locator(".verify input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    verdict = page.locator(".verdict")
    expect(verdict.locator("h3")).to_contain_text(desk.say("核验通过", "Verified"), timeout=SLOW_MS)
    expect(verdict).to_contain_text(code)
