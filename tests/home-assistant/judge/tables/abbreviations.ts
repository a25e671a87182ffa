type Abbreviations = ReadonlyMap<string, string>

/** `short full` on each line. */
function table(lines: string): Abbreviations {
  return new Map(
    lines
      .trim()
      .split('\n')
      .map((line) => line.trim().split(' ') as [string, string]),
  )
}

/** Of `device` (spec 1.4). */
export const DEVICE_ABBREVIATIONS = table(`
  ids identifiers
  cns connections
  mf manufacturer
  mdl model
  mdl_id model_id
  hw hw_version
  sw sw_version
  sn serial_number
  sa suggested_area
  cu configuration_url`)

/** Of `origin` (spec 1.5). */
export const ORIGIN_ABBREVIATIONS = table(`
  sw sw_version
  url support_url`)

/**
 * Of the root, of components and of the entries of `availability` (spec 1.3, 1.6, 1.10, 2.4; those of keys the
 * specification only names in full are from Home Assistant's documentation).
 */
export const ABBREVIATIONS = table(`
  dev device
  o origin
  cmps components
  p platform
  avty availability
  avty_mode availability_mode
  avty_t availability_topic
  avty_tpl availability_template
  pl_avail payload_available
  pl_not_avail payload_not_available
  t topic
  stat_t state_topic
  cmd_t command_topic
  cmd_tpl command_template
  e encoding
  msg_exp_int message_expiry_interval
  uniq_id unique_id
  def_ent_id default_entity_id
  obj_id object_id
  dev_cla device_class
  ent_cat entity_category
  en enabled_by_default
  vis visible_by_default
  ic icon
  ent_pic entity_picture
  json_attr_t json_attributes_topic
  json_attr_tpl json_attributes_template
  grp group
  ret retain
  opt optimistic
  val_tpl value_template
  unit_of_meas unit_of_measurement
  stat_cla state_class
  sug_dsp_prc suggested_display_precision
  exp_aft expire_after
  frc_upd force_update
  lrst_val_tpl last_reset_value_template
  ops options
  pl_on payload_on
  pl_off payload_off
  off_dly off_delay
  stat_on state_on
  stat_off state_off
  pl_prs payload_press
  pl_rst payload_reset
  ptrn pattern
  evt_typ event_types
  bri_scl brightness_scale
  sup_clrm supported_color_modes
  fx_list effect_list
  flsh_tsht flash_time_short
  flsh_tlng flash_time_long
  whit_scl white_scale
  l_ver_t latest_version_topic
  l_ver_tpl latest_version_template
  pl_inst payload_install
  tit title
  rel_s release_summary
  rel_u release_url
  atype automation_type
  stype subtype
  pl payload`)
