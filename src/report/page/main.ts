/** Entry of the report's page: draws the document that stands in the page itself. */
import type { ReportData } from "../report-data.ts";
import { showReport } from "./app.ts";
import "./theme.css";

const root = document.getElementById("report");
const text = document.getElementById("report-data")?.textContent;
if (root !== null && text) showReport(root, JSON.parse(text) as ReportData);
