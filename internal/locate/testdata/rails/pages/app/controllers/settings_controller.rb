class SettingsController < ActionController::Base
  def show; end
end
